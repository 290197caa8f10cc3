using System.Text;
using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Native;
using DeviceMapper.Targets;

namespace DeviceMapper.Mapping;

/// <summary>
/// A table of targets: what a mapped device is made of. It refers to each of its table devices once
/// (the kernel's <c>struct dm_table</c>, drivers/md/dm-table.c).
/// </summary>
public sealed partial class Table
{
    private static int _built; // tables built in this process

    private volatile List<DeviceReference> _devices = []; // in the order in which they were first named; replaced, not changed, once the table stands
    private readonly Dictionary<DeviceIdentity, DeviceReference> _deviceOf = [];
    private readonly List<DeviceSpec> _specs = []; // found while building, to be abandoned if the table is refused
    private readonly List<string> _warnings = [];
    private readonly ResolveContext _resolving;
    private readonly object _readersOver = new(); // guards _readers, and pulses when one has ended
    private int _readers;
    private Target[] _targets = [];
    private readonly int _lookupCell = Interlocked.Increment(ref _built) % BioThread.LookupCells;
    private MappedDevice[] _mappedBelow = [];
    private ulong[] _starts = []; // of each target, and where the last ends; for the search
    private ulong _blockMask; // sectors of a logical block, less one

    private Table(MappedDevice owner, DeviceMode mode)
    {
        Owner = owner;
        Mode = mode;
        _resolving = new ResolveContext(owner.Number.ToString());
    }

    /// <summary>How it opens its devices.</summary>
    public DeviceMode Mode { get; }

    /// <summary>The mapped device that it was loaded into.</summary>
    public MappedDevice Owner { get; }

    /// <summary>Its targets, in order, without gaps.</summary>
    public IReadOnlyList<Target> Targets => _targets;

    /// <summary>The same, for loops.</summary>
    internal Target[] TargetArray => _targets;

    /// <summary>Its size.</summary>
    public SectorCount Size { get; private set; }

    /// <summary>Whether the kernel makes a device of it that takes requests; null where it makes either (see <see cref="Target.RequestBased"/>).</summary>
    internal bool? RequestBased =>
        Array.Exists(_targets, t => t.RequestBased == true) ? true
        : Array.TrueForAll(_targets, t => t.RequestBased is null) ? null
        : false;

    /// <summary>Its table devices, in the order in which they were first named.</summary>
    public IReadOnlyList<DeviceReference> Devices => _devices;

    /// <summary>What the limits of its devices and the wishes of its targets come to; set by <see cref="ComputeLimits"/>.</summary>
    public QueueLimits Limits { get; private set; } = QueueLimits.Stacking;

    /// <summary>What was noticed while it was built, for whoever loads it.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Tells waiters for events that something happened to a target (the kernel's <c>dm_table_event</c>). Never call it while holding a lock.</summary>
    public void RaiseEvent() => Owner.RaiseEvent();

    /// <summary>Adds a warning for whoever loads the table; for constructors of targets.</summary>
    public void Warn(string sentence) => _warnings.Add(sentence);

    /// <summary>Builds a table; opens what it names and nobody has open yet.</summary>
    /// <exception cref="DmException">What the kernel refuses at load, but for sizes and limits; nothing is left behind.</exception>
    internal static Table Build(MappedDevice owner, IReadOnlyList<TableLine> lines, DeviceMode mode, CancellationToken cancellation)
    {
        if (lines.Count == 0)
        {
            throw new DmException(Errno.EINVAL, "the table has no targets");
        }

        Table table = new(owner, mode);
        try
        {
            table.AddTargets(lines, cancellation);
            return table;
        }
        catch (Exception e)
        {
            table.Refuse();
            if (e is OutOfMemoryException)
            {
                throw new DmException(Errno.ENOMEM, "no memory is left to build the table", e);
            }

            throw;
        }
    }

    /// <summary>The table was taken: what finding its devices made stays.</summary>
    internal void Accept() => _specs.Clear();

    /// <summary>The table is not wanted: destroys it, and undoes what finding its devices made.</summary>
    internal void Refuse()
    {
        Destroy();
        for (int i = _specs.Count - 1; i >= 0; i--)
        {
            _specs[i].Abandon();
        }

        _specs.Clear();
    }

    /// <summary>
    /// Gets the table device that a word names: the table's own reference where it has one that is as wide, else the shared or
    /// a new table device. A wider wish moves every user of the device in this table to the wider one; a narrower one uses the wider.
    /// </summary>
    internal DeviceReference GetDevice(string word, DeviceMode mode, CancellationToken cancellation)
    {
        DeviceSpec spec = Owner.Registry.Resolve(word, _resolving);
        _specs.Add(spec);
        if (ReferenceEquals(spec.Mapped, Owner))
        {
            throw new DmException(Errno.EINVAL, $"'{word}' is the device that the table is for");
        }

        _deviceOf.TryGetValue(spec.Identity, out DeviceReference? known);
        if (known is not null && known.Mode >= mode)
        {
            WarnUnlessNull(spec.ApplyOptions(known.Backend));
            known.Users++;
            return known;
        }

        (TableDevice device, string? warning) = Owner.TableDevices.Get(spec, mode, cancellation);
        if (known is not null)
        {
            known.Users++;
            Owner.PutTableDevice(known.MoveTo(device));
        }
        else
        {
            known = Add(device, spec);
        }

        WarnUnlessNull(warning);
        return known;
    }

    /// <summary>Somebody reads it who came by the mapped device's slot: it is not destroyed until <see cref="RemoveReader"/>.</summary>
    internal void AddReader()
    {
        lock (_readersOver)
        {
            _readers++;
        }
    }

    /// <summary>Ends an <see cref="AddReader"/>.</summary>
    internal void RemoveReader()
    {
        lock (_readersOver)
        {
            _readers--;
            Monitor.PulseAll(_readersOver);
        }
    }

    /// <summary>
    /// Ends the targets and puts the table devices, once those who read the table have ended. It stands in no slot any more, and no bio of
    /// it is in flight.
    /// </summary>
    internal void Destroy()
    {
        lock (_readersOver)
        {
            while (_readers > 0)
            {
                Monitor.Wait(_readersOver);
            }
        }

        foreach (Target target in _targets)
        {
            try
            {
                target.Dispose();
            }
            catch (Exception e)
            {
                LogTargetBug(target, e);
            }
        }

        foreach (DeviceReference device in _devices)
        {
            Owner.PutTableDevice(device.TableDevice);
        }

        _targets = [];
        _devices.Clear();
        _deviceOf.Clear();
    }

    private DeviceReference Add(TableDevice device, DeviceSpec spec)
    {
        try
        {
            DeviceReference reference = new(device, TableParser.EscapeWord(spec.Name));
            _devices.Add(reference);
            _deviceOf.Add(spec.Identity, reference);
            return reference;
        }
        catch
        {
            _devices.RemoveAll(d => d.TableDevice == device);
            Owner.PutTableDevice(device);
            throw;
        }
    }

    private void WarnUnlessNull(string? warning)
    {
        if (warning is not null)
        {
            Warn(warning);
        }
    }

    internal void LogTargetBug(Target target, Exception exception) => Owner.Logger.TargetBug(Owner.Name, target.Type.Name, exception);

    private void AddTargets(IReadOnlyList<TableLine> lines, CancellationToken cancellation)
    {
        // While this runs, _targets holds what Destroy must dispose of.
        List<Target> targets = new(lines.Count);
        try
        {
            for (int i = 0; i < lines.Count; i++)
            {
                try
                {
                    targets.Add(CreateTarget(CheckPlace(lines[i], targets), lines[i], TableParser.SplitWords(lines[i].Arguments), cancellation));
                }
                catch (DmException e) when (lines.Count > 1)
                {
                    throw new DmException(e.Errno, $"line {i + 1}: {e.Message}", e);
                }
            }
        }
        finally
        {
            _targets = [.. targets];
        }

        Size = targets[^1].End - default(Sector);
        _starts = [.. targets.Select(t => t.Start.Value), targets[^1].End.Value];
        PlanFlush();
        _mappedBelow = [.. _devices.Select(d => d.Device).OfType<MappedDevice>()];
    }

    private Target CreateTarget(TargetType type, TableLine line, IReadOnlyList<string> words, CancellationToken cancellation) =>
        type.Create(new TargetArguments(this, type, line.Start, line.Length, words, cancellation));

    /// <summary>As the kernel reads it, <c>64M</c> is a length and a type.</summary>
    private static string UnitHint(string type) =>
        type is "K" or "M" or "G" or "T" or "KiB" or "MiB" or "GiB" or "TiB" or "KB" or "MB" or "GB" ? "; a length is a number of sectors of 512 bytes, without a unit" : "";

    /// <summary>The kernel's <c>dm_table_add_target</c>, with its checks in its order, but for what the target itself checks.</summary>
    /// <returns>The target's type.</returns>
    private TargetType CheckPlace(TableLine line, List<Target> before)
    {
        if (before.Count > 0 && before[0].Type.Has(TargetFeatures.Singleton))
        {
            throw new DmException(Errno.EINVAL, $"{before[0].Type.Name}: this target must be the only one of its table");
        }

        if (line.Length == SectorCount.Zero)
        {
            throw new DmException(Errno.EINVAL, $"{line.Type}: length: '0' is not a positive number of sectors");
        }

        ulong limit = (ulong)long.MaxValue >> Sector.Shift; // bytes of a device are counted in 63 bits
        if (line.Start.Value + line.Length.Value is ulong end && (end < line.Start.Value || end > limit))
        {
            throw new DmException(Errno.EINVAL, $"{line.Type}: start {line.Start} and length {line.Length} reach beyond the largest device, {limit} sectors");
        }

        TargetType type = Owner.Registry.FindTargetType(line.Type)
            ?? throw new DmException(Errno.EINVAL, $"'{line.Type}' is not a target type that udm knows: {string.Join(", ", Owner.Registry.TargetTypes.Select(t => t.Name))}{UnitHint(line.Type)}");
        if (type.Has(TargetFeatures.Singleton) && before.Count > 0)
        {
            throw new DmException(Errno.EINVAL, $"{type.Name}: this target must be the only one of its table");
        }

        if (type.Has(TargetFeatures.AlwaysWriteable) && Mode == DeviceMode.ReadOnly)
        {
            throw new DmException(Errno.EINVAL, $"{type.Name}: this target may not be part of a read-only table");
        }

        if (before.Count > 0 && before[0].Type is { } first && first != type
            && (first.Has(TargetFeatures.Immutable) || type.Has(TargetFeatures.Immutable)))
        {
            throw new DmException(Errno.EINVAL, $"{type.Name}: {first.Name} and {type.Name} may not be mixed in a table");
        }

        ulong expected = before.Count == 0 ? 0 : before[^1].End.Value;
        if (line.Start.Value != expected)
        {
            throw new DmException(
                Errno.EINVAL,
                $"{type.Name}: start: '{line.Start}' leaves {(line.Start.Value > expected ? "a gap" : "an overlap")}: {expected} was expected");
        }

        return type;
    }
}
