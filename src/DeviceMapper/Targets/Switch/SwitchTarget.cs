using System.Numerics;
using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Switch;

/// <summary>
/// Regions of equal size, each on one of several paths to the same storage:
/// <c>switch &lt;paths&gt; &lt;region size&gt; 0 (&lt;device&gt; &lt;offset&gt;)...</c> (drivers/md/dm-switch.c).
/// </summary>
public sealed class SwitchTarget : Target
{
    // Where the kernel's structure of so many paths would not be allocated: KMALLOC_MAX_SIZE, 4 MiB, less its 72 bytes, 16 a path.
    private const uint MostPaths = ((4 << 20) - 72) / 16;

    private readonly Path[] _paths;
    private readonly uint _regionSize; // sectors
    private readonly int _regionShift; // where the size is a power of two; else -1
    private readonly RegionTable _regions;
    private readonly Lock _messages = new();

    /// <summary>Takes the paths; regions use them in turn until a message says otherwise.</summary>
    public SwitchTarget(TargetArguments arguments)
        : base(arguments)
    {
        uint count = arguments.Number32(0, "paths", $"a number of paths from 1 to {MostPaths}", least: 1, most: MostPaths);
        _regionSize = arguments.Number32(1, "region size", "a positive number of sectors", least: 1);
        _ = arguments.Number32(2, "optional arguments", "0: there are none yet", most: 0);
        if (arguments.Count != 3 + (2L * count))
        {
            throw arguments.Refuse($"{count} devices with their offsets expected after the number of optional arguments, {arguments.Count - 3} words given");
        }

        _paths = new Path[count];
        for (int i = 0; i < _paths.Length; i++)
        {
            _paths[i] = new Path(arguments.Device(3 + (2 * i)), Offset(arguments, 4 + (2 * i)));
        }

        _regionShift = BitOperations.IsPow2(_regionSize) ? BitOperations.Log2(_regionSize) : -1;
        _regions = Allocate(arguments, count);
        MaxIo = new SectorCount(_regionSize);
        DiscardBios = 1;
    }

    /// <summary>The type <c>switch</c>.</summary>
    public static TargetType Definition { get; } = new(
        "switch",
        new(1, 1, 0),
        "<paths> <region size> 0 (<device> <offset>)...",
        TargetFeatures.NoWait,
        arguments => new SwitchTarget(arguments));

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        SectorCount offset = OffsetOf(bio.Sector);
        Path path = PathAt(offset);
        bio.Device = path.Device.Device;
        bio.Sector = path.Offset + offset;
        return MapResult.Remapped;
    }

    /// <summary>Of one region: the next one may be elsewhere.</summary>
    public override (SectorCount Length, bool Hole) ExtentAt(Sector start, SectorCount length)
    {
        SectorCount offset = OffsetOf(start);
        Path path = PathAt(offset);
        return path.Device.ExtentAt(path.Offset + offset, SectorCount.Min(length, new SectorCount(_regionSize - (offset.Value % _regionSize))));
    }

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text)
    {
        text.Append($"{_paths.Length} {_regionSize} 0");
        foreach (Path path in _paths)
        {
            text.Append($" {path.Device.Name} {path.Offset}");
        }
    }

    /// <inheritdoc/>
    public override string? Message(IReadOnlyList<string> words)
    {
        if (!words[0].Equals("set_region_mappings", StringComparison.OrdinalIgnoreCase))
        {
            throw new DmException(Errno.EINVAL, $"switch: '{words[0]}' is no message of this target: set_region_mappings is expected");
        }

        lock (_messages)
        {
            RegionMappings.Apply(_regions, (uint)_paths.Length, words);
        }

        return null;
    }

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas => _paths.Select(path => new TargetArea(path.Device, path.Offset, Length));

    private Path PathAt(SectorCount offset) =>
        _paths[_regions[_regionShift >= 0 ? offset.Value >> _regionShift : offset.Value / _regionSize]];

    // Unlike those of other targets, with kstrtoull: a plus sign may lead.
    private static Sector Offset(TargetArguments arguments, int index) =>
        KernelNumber.TryParse(arguments[index], out ulong sector) ? new Sector(sector) : throw arguments.Refuse(index, "offset", "is not a sector number");

    private RegionTable Allocate(TargetArguments arguments, uint paths)
    {
        ulong regions = (Length.Value / _regionSize) + (Length.Value % _regionSize == 0 ? 0UL : 1);
        try
        {
            return new RegionTable(regions, paths);
        }
        catch (Exception e) when (e is OverflowException or OutOfMemoryException)
        {
            throw new DmException(Errno.ENOMEM, $"{arguments.Type.Name}: {regions} regions are more than fit into memory", e);
        }
    }

    private readonly record struct Path(DeviceReference Device, Sector Offset);
}
