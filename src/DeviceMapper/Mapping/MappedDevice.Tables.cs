using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Native;
using DeviceMapper.Targets;

namespace DeviceMapper.Mapping;

/// <content>Its two tables: loading, clearing, and what is asked of them.</content>
public sealed partial class MappedDevice
{
    /// <summary>Builds a table in the inactive slot from its text; see <see cref="TableParser"/>.</summary>
    /// <inheritdoc cref="LoadTable(IReadOnlyList{TableLine}, DeviceMode, CancellationToken)"/>
    public IReadOnlyList<string> LoadTable(string table, DeviceMode mode = DeviceMode.ReadWrite) =>
        LoadTable(TableParser.Parse(table), mode);

    /// <summary>
    /// Builds a table in the inactive slot (DM_TABLE_LOAD). Only devices that neither table uses in this mode are opened. The table that was
    /// in the slot is destroyed after the new one is there; a load that fails changes nothing.
    /// </summary>
    /// <param name="lines">Its targets.</param>
    /// <param name="mode">How the table devices are opened.</param>
    /// <param name="cancellation">The caller went away: ends opens that are under way.</param>
    /// <returns>Warnings: what will be refused at the resume.</returns>
    /// <exception cref="DmException">What the kernel refuses, with a sentence that names line, target and argument.</exception>
    public IReadOnlyList<string> LoadTable(
        IReadOnlyList<TableLine> lines, DeviceMode mode = DeviceMode.ReadWrite, CancellationToken cancellation = default)
    {
        using CancellationTokenSource ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _removal.Token);
        BeginWork();
        try
        {
            List<string> warnings = Take(Build(lines, mode, ends.Token), out Table? replaced);
            replaced?.Destroy();
            foreach (string warning in warnings)
            {
                Logger.TableWarning(Name, warning);
            }

            return warnings;
        }
        catch (DmException e) when (e.Errno == Errno.EINTR && !cancellation.IsCancellationRequested)
        {
            throw Removed(e);
        }
        finally
        {
            EndWork();
        }
    }

    /// <summary>Destroys the inactive table, if there is one (DM_TABLE_CLEAR).</summary>
    /// <exception cref="DmException">ENXIO: the device is being removed.</exception>
    public void ClearTable()
    {
        BeginWork();
        try
        {
            Stage(null)?.Destroy();
        }
        finally
        {
            EndWork();
        }
    }

    /// <summary>
    /// The targets of a table with their status (DM_TABLE_STATUS), or, with <paramref name="arguments"/>, with their arguments
    /// (DM_STATUS_TABLE_FLAG); empty without a table.
    /// </summary>
    /// <param name="arguments">Arguments instead of status.</param>
    /// <param name="inactive">The inactive table instead of the live one.</param>
    /// <param name="noflush">Targets do not make anything durable for the sake of their figures.</param>
    public IReadOnlyList<TargetText> TableTexts(bool arguments, bool inactive = false, bool noflush = false) =>
        Texts(inactive, (target, text) =>
        {
            if (arguments)
            {
                target.AppendTable(text);
            }
            else
            {
                target.AppendStatus(text, noflush);
            }
        });

    /// <summary>The targets of a table with what IMA measures of them (DM_IMA_MEASUREMENT_FLAG); empty without a table.</summary>
    /// <param name="inactive">The inactive table instead of the live one.</param>
    public IReadOnlyList<TargetText> Measurements(bool inactive = false) => Texts(inactive, (target, text) => new Measurement(text).Take(target));

    /// <summary>The table devices of a table, the latest first as the kernel lists them (DM_TABLE_DEPS); empty without a table.</summary>
    public IReadOnlyList<Dependency> Dependencies(bool inactive = false) =>
        WithTable<IReadOnlyList<Dependency>>(
            inactive,
            table => table is null ? [] : [.. table.Devices.Reverse().Select(d => new Dependency(d.Number, d.TableDevice.Name, d.Mode))]);

    /// <summary>
    /// Sends a message to the target at a sector, or, starting with @, to the device itself (DM_TARGET_MSG).
    /// </summary>
    /// <param name="sector">A sector of the target.</param>
    /// <param name="message">Its words, separated as arguments of a table are.</param>
    /// <param name="room">How many bytes of answer the caller has room for: statistics are not cleared by an answer that does not fit.</param>
    /// <returns>The answer's text, or null.</returns>
    /// <exception cref="DmException">EINVAL: no words, no table, no such target, or the target's own refusal. ENXIO: it is being removed.</exception>
    public string? Message(Sector sector, string message, int room = int.MaxValue)
    {
        IReadOnlyList<string> words = TableParser.SplitWords(message);
        if (words.Count == 0)
        {
            throw new DmException(Errno.EINVAL, "the message is empty");
        }

        if (words[0].StartsWith('@'))
        {
            return CoreMessage(words, room);
        }

        return WithTable(false, table =>
        {
            if (table is null)
            {
                throw new DmException(Errno.EINVAL, $"'{Name}' has no live table to take the message");
            }

            lock (_state)
            {
                if (_removing)
                {
                    throw new DmException(Errno.ENXIO, $"'{Name}' is being removed");
                }
            }

            if (sector.Value >= table.Size.Value)
            {
                throw new DmException(Errno.EINVAL, $"sector {sector} lies beyond the end of '{Name}', which has {table.Size} sectors");
            }

            return table.Find(sector, BioThread.Current).Message(words);
        });
    }

    /// <summary>The mapped devices that a table names; the table must be kept from being destroyed.</summary>
    internal static IReadOnlyList<MappedDevice> MappedBelow(Table table) =>
        [.. table.Devices.Select(d => d.Device).OfType<MappedDevice>()];

    /// <summary>The mapped devices below its live table.</summary>
    internal IReadOnlyList<MappedDevice> MappedBelowLive() =>
        WithTable<IReadOnlyList<MappedDevice>>(false, table => table is null ? [] : MappedBelow(table));

    /// <summary>Reads a table, which is not destroyed meanwhile. It may be swapped or replaced: nothing but its destruction waits for who reads it.</summary>
    private T WithTable<T>(bool inactive, Func<Table?, T> read)
    {
        Table? table;
        lock (_state)
        {
            table = inactive ? _inactive : _live;
            table?.AddReader();
        }

        try
        {
            return read(table);
        }
        finally
        {
            table?.RemoveReader();
        }
    }

    /// <summary>Puts a new table into the inactive slot, if it may stand there; else it is refused.</summary>
    /// <returns>Warnings of it.</returns>
    private List<string> Take(Table table, out Table? replaced)
    {
        try
        {
            CheckImmutable(table);
            List<string> warnings = [.. table.Warnings, .. CheckLimits(table), .. Registry.Topology.Warn(this, table)];
            replaced = Stage(table);
            table.Accept();
            return warnings;
        }
        catch
        {
            table.Refuse();
            throw;
        }
    }

    /// <summary>Exchanges the inactive table.</summary>
    /// <returns>The one that was there.</returns>
    private Table? Stage(Table? table)
    {
        lock (_state)
        {
            if (table is not null)
            {
                if (_removing)
                {
                    throw Removed();
                }

                CheckType(table);
                _hasLoaded = true;
            }

            (Table? before, _inactive) = (_inactive, table);
            return before;
        }
    }

    /// <summary>Builds a table, and tells <see cref="WaitReason"/>.</summary>
    private Table Build(IReadOnlyList<TableLine> lines, DeviceMode mode, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _loading);
        try
        {
            return Table.Build(this, lines, mode, cancellation);
        }
        finally
        {
            Interlocked.Decrement(ref _loading);
        }
    }

    /// <summary>Somebody takes, builds or destroys tables: a removal waits for <see cref="EndWork"/> (the kernel's <c>dm_get</c>).</summary>
    /// <exception cref="DmException">ENXIO: the removal came first.</exception>
    private void BeginWork()
    {
        lock (_work)
        {
            _working++;
        }

        if (_removal.IsCancellationRequested)
        {
            EndWork();
            throw Removed();
        }
    }

    private void EndWork()
    {
        lock (_work)
        {
            _working--;
            Monitor.PulseAll(_work);
        }
    }

    /// <summary>For the destruction: ends opens under way, and waits until whoever began work has cleaned up.</summary>
    private void WaitForWork()
    {
        _removal.Cancel();
        lock (_work)
        {
            while (_working > 0)
            {
                Monitor.Wait(_work);
            }
        }
    }

    private DmException Removed(Exception? inner = null) => new(Errno.ENXIO, $"'{Name}' was removed meanwhile", inner);

    /// <summary>What an immutable target type forbids: another type in its place, but for a wildcard.</summary>
    private void CheckImmutable(Table table)
    {
        TargetType? immutable = _live?.Targets.FirstOrDefault(t => t.Type.Has(TargetFeatures.Immutable))?.Type;
        if (immutable is not null
            && !table.Targets.Any(t => t.Type.Has(TargetFeatures.Wildcard))
            && table.Targets[0].Type.Name != immutable.Name)
        {
            throw new DmException(Errno.EINVAL, $"{table.Targets[0].Type.Name}: this target cannot replace {immutable.Name}, which is immutable");
        }
    }

    /// <summary>
    /// In the kernel the first table makes a device one that takes requests or one that takes bios, for good. Here nothing would forbid the
    /// change; it is refused so that scripts meet the same device mapper. Called with <c>_state</c> held.
    /// </summary>
    private void CheckType(Table table)
    {
        bool? requestBased = table.RequestBased;
        if (!_hasLoaded)
        {
            _requestBased = requestBased == true;
        }
        else if (requestBased is not null && requestBased != _requestBased)
        {
            throw new DmException(
                Errno.EINVAL,
                $"{table.Targets[0].Type.Name}: '{Name}' has taken {(_requestBased ? "requests" : "bios")} since its first table, and cannot change to "
                + $"{(_requestBased ? "bios" : "requests")} (queue_mode {(_requestBased ? "rq" : "bio")} of multipath, or another target, does not)");
        }
    }

    /// <summary>
    /// Sizes and limits: of a device's first table they are checked at load, of later ones at the swap, as in the kernel; then
    /// what will be refused is said at once.
    /// </summary>
    private IEnumerable<string> CheckLimits(Table table)
    {
        bool first;
        lock (_state)
        {
            first = !_hasLoaded;
        }

        try
        {
            table.ComputeLimits();
        }
        catch (DmException e) when (!first)
        {
            return [$"{e.Message}; the resume will be refused"];
        }

        return [];
    }

    private IReadOnlyList<TargetText> Texts(bool inactive, Action<Target, StringBuilder> append) =>
        WithTable<IReadOnlyList<TargetText>>(inactive, table =>
        {
            if (table is null)
            {
                return [];
            }

            StringBuilder text = new();
            TargetText[] texts = new TargetText[table.Targets.Count];
            for (int i = 0; i < texts.Length; i++)
            {
                Target target = table.Targets[i];
                append(target, text.Clear());
                texts[i] = new TargetText(target.Start, target.Length, target.Type.Name, text.ToString());
            }

            return texts;
        });
}
