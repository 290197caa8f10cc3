using DeviceMapper.Backends;
using DeviceMapper.Io;

namespace DeviceMapper.Mapping.Checking;

/// <summary>
/// Finds out whether tables can be loaded, and all that keeps them from it, without changing anything: the devices that they name are opened for reading
/// and not claimed, what targets write is kept in memory, and no file is made.
/// </summary>
/// <remarks>
/// Each device is made in a registry of its own, so that those which are checked after it can stand on it. Who else uses the devices below is not
/// looked at, and what is on mapped devices that are there already (see <see cref="IKnownDevices"/>) neither.
/// </remarks>
public sealed class TableChecker : IDisposable
{
    private const uint FirstOwnMinor = 1 << 19; // those before it are the known devices' own

    private static readonly SectorCount _unknownSize = new(1ul << 50);

    private readonly DeviceRegistry _registry;
    private readonly DeviceResolver _resolver;
    private readonly IKnownDevices? _known;
    private readonly bool _takesNames;
    private readonly Dictionary<DeviceIdentity, WrittenSectors> _written = [];
    private readonly HashSet<MappedDevice> _opaque = []; // refused, or known only by name and size: nothing can be said of their content
    private readonly HashSet<string> _opaqueWords = []; // words of the table that is being checked, which name these
    private int _standIns;

    /// <summary>Makes a checker.</summary>
    /// <param name="options">As those of the registry that the tables are meant for.</param>
    /// <param name="known">Its mapped devices; null without any.</param>
    /// <param name="takesNames">Whether a device may not have the name, uuid or number of one of them.</param>
    public TableChecker(DeviceRegistryOptions options, IKnownDevices? known = null, bool takesNames = false)
    {
        _known = known;
        _takesNames = takesNames;
        _registry = new DeviceRegistry(options with { MakesFiles = false, Resolve = Resolve });
        _resolver = new DeviceResolver(_registry);
    }

    /// <summary>Checks a device.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="lines">Its table; without lines only its name, uuid and number are checked.</param>
    /// <param name="mode">How its devices would be opened.</param>
    /// <param name="minor">The minor number that is wanted; null for any.</param>
    /// <param name="uuid">Its uuid, or none.</param>
    /// <returns>What is wrong, in the order of the lines.</returns>
    public IReadOnlyList<TableProblem> Check(string name, IReadOnlyList<TableLine> lines, DeviceMode mode = DeviceMode.ReadWrite, uint? minor = null, string? uuid = null)
    {
        MappedDevice device;
        if (_takesNames)
        {
            Meet(_known?.FindByName(name));
            Meet(string.IsNullOrEmpty(uuid) ? null : _known?.FindByUuid(uuid));
            Meet(minor is null ? null : _known?.FindByMinor(minor.Value));
        }

        try
        {
            device = _registry.Create(name, minor ?? (_known is null ? null : OwnMinor()), uuid);
        }
        catch (DmException refusal)
        {
            return [new TableProblem(null, refusal), .. CheckLines(lines, mode)];
        }

        _opaqueWords.Clear();
        return lines.Count == 0 ? [] : Load(device, lines, mode);
    }

    /// <summary>Notes a device that was refused before it could be checked, so that those which stand on it are not refused for that.</summary>
    public void Miss(string name) => Meet(new KnownDevice(name, "", OwnMinor(), _unknownSize));

    /// <summary>A table as a status with arguments gives it back; null where it would be refused, or what it stands on is not known.</summary>
    public IReadOnlyList<TableLine>? TextOf(IReadOnlyList<TableLine> lines, DeviceMode mode)
    {
        MappedDevice nameless = _registry.Create($"check {++_standIns}", OwnMinor());
        try
        {
            nameless.LoadTable(lines, mode);
            return [.. nameless.TableTexts(arguments: true, inactive: true).Select(t => new TableLine(t.Start, t.Length, t.Type, t.Text))];
        }
        catch (DmException)
        {
            return null;
        }
        finally
        {
            _registry.Remove(nameless);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _registry.Dispose();

    /// <summary>Checks a table whose device cannot have its name.</summary>
    private List<TableProblem> CheckLines(IReadOnlyList<TableLine> lines, DeviceMode mode)
    {
        MappedDevice nameless = _registry.Create($"check {++_standIns}", OwnMinor());
        List<TableProblem> problems = lines.Count == 0 ? [] : [.. Load(nameless, lines, mode)];
        _registry.Remove(nameless);
        return problems;
    }

    private List<TableProblem> Load(MappedDevice device, IReadOnlyList<TableLine> lines, DeviceMode mode)
    {
        DmException first;
        try
        {
            device.LoadTable(lines, mode);
            device.Resume();
            return [];
        }
        catch (DmException refusal)
        {
            first = refusal;
            device.ClearTable();
        }

        List<TableProblem> problems = [.. Table.Check(device, lines, mode)];
        if (problems.Count == 0)
        {
            problems.Add(new TableProblem(null, first));
        }

        problems.RemoveAll(problem => IsDoubtful(problem, lines));
        ulong size = lines[^1].Start.Value + lines[^1].Length.Value;
        FillIn(device, new SectorCount(size is > 0 and < 1ul << 50 ? size : _unknownSize.Value));
        return problems;
    }

    /// <summary>What a line is refused for that stands on a device of unknown content may be due to that.</summary>
    private bool IsDoubtful(TableProblem problem, IReadOnlyList<TableLine> lines)
    {
        if (_opaqueWords.Count == 0)
        {
            return false;
        }

        IEnumerable<TableLine> blamed = problem.Line is { } line ? [lines[line]] : lines;
        return blamed.Any(l => TableParser.SplitWords(l.Arguments).Any(_opaqueWords.Contains))
            && (problem.Refusal.Argument is { } argument ? _opaqueWords.Contains(argument.Value) : !problem.Refusal.Message.Contains(" sectors, too few ", StringComparison.Ordinal));
    }

    /// <summary>Gives a device that was refused, or is known by its size only, a table that others can stand on.</summary>
    private void FillIn(MappedDevice device, SectorCount size)
    {
        device.LoadTable([new TableLine(default, size, "zero", "")]);
        device.Resume();
        _opaque.Add(device);
    }

    /// <summary>Makes a device that is known.</summary>
    private void Meet(KnownDevice? known)
    {
        if (known is null || _registry.FindByName(known.Name) is not null || _registry.FindByUuid(known.Uuid) is not null)
        {
            return;
        }

        bool isFree = _registry.FindByNumber(new DeviceNumber(_registry.Major, known.Minor)) is null;
        MappedDevice device = _registry.Create(known.Name, isFree ? known.Minor : OwnMinor(), known.Uuid);
        FillIn(device, known.Size == SectorCount.Zero ? _unknownSize : known.Size);
    }

    private uint OwnMinor() => FirstOwnMinor + (uint)_standIns++;

    private DeviceSpec Resolve(string word, ResolveContext context)
    {
        if (word == Table.StandInDevice)
        {
            string name = $"stand-in {++_standIns}";
            return new UntouchedSpec(new MissingFileSpec(name, name, _unknownSize), new WrittenSectors());
        }

        MeetNamed(word);
        DeviceSpec found = _resolver.Resolve(word, context);
        if (found.Mapped is { } mapped)
        {
            if (_opaque.Contains(mapped))
            {
                _opaqueWords.Add(word);
            }

            return found;
        }

        if (found is MemorySpec)
        {
            return found;
        }

        if (!_written.TryGetValue(found.Identity, out WrittenSectors? written))
        {
            _written[found.Identity] = written = new WrittenSectors();
        }

        return new UntouchedSpec(found, written);
    }

    /// <summary>Meets the mapped device that a word seems to name.</summary>
    private void MeetNamed(string word)
    {
        if (_known is null)
        {
            return;
        }

        if (DeviceNumber.TryParse(word, out DeviceNumber number))
        {
            Meet(number.Major == _registry.Major && _registry.FindByNumber(number) is null ? _known.FindByMinor(number.Minor) : null);
        }
        else if (word.Contains("mapper/", StringComparison.Ordinal) && Path.GetFileName(word) is var name && _registry.FindByName(name) is null)
        {
            Meet(_known.FindByName(name));
        }
    }
}
