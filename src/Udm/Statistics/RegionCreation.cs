using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using Udm.Verbs;

namespace Udm.Statistics;

/// <summary><c>stats create</c>: regions of devices.</summary>
internal sealed class RegionCreation
{
    private readonly VerbContext _context;
    private readonly long _step; // sectors of an area; negative: how many areas
    private readonly ulong _start; // sectors
    private readonly ulong _length; // sectors; 0: all
    private readonly string _program;
    private readonly string _data;

    /// <summary>Reads the options.</summary>
    /// <exception cref="UsageException">They do not go together, or a size is none.</exception>
    public RegionCreation(VerbContext context)
    {
        _context = context;
        CommandLine options = context.Options;
        CheckCommon(options);
        if (options.Has(Option.Areas) && options.Has(Option.AreaSize))
        {
            throw new UsageException("--areas and --areasize exclude each other");
        }

        long areas = NumberPrefix.Int32(options.Value(Option.Areas));
        long areaSize = (long)(Size(options, Option.AreaSize) ?? 0);
        _step = areaSize != 0 ? areaSize / Sector.Size : -(areas == 0 ? 1 : areas);
        _start = (Size(options, Option.Start) ?? 0) / Sector.Size;
        _length = (Size(options, Option.Length) ?? 0) / Sector.Size;
        _program = options.Value(Option.ProgramId) ?? RegionTable.DefaultProgram;
        _data = options.Value(Option.UserData) ?? "";
        if (options.Has(Option.Alias) && options.Has(Option.NoGroup))
        {
            throw new UsageException("--alias and --nogroup exclude each other");
        }
    }

    /// <summary>What no region is made with.</summary>
    /// <exception cref="UsageException">It is there.</exception>
    public static void CheckCommon(CommandLine options)
    {
        if (options.Has(Option.AllRegions) || options.Has(Option.AllPrograms))
        {
            throw new UsageException("--allregions and --allprograms do not go with create");
        }

        if (options.Value(Option.ProgramId) is "" && !options.Has(Option.Force))
        {
            throw new UsageException("--programid: a region of no program needs --force");
        }
    }

    /// <summary>Makes a region.</summary>
    /// <param name="context">The verb's surroundings.</param>
    /// <param name="device">Of which device.</param>
    /// <param name="start">Its first sector.</param>
    /// <param name="length">Sectors; 0 with a start of 0: the whole device.</param>
    /// <param name="step">Sectors of an area; negative: how many areas.</param>
    /// <param name="precise">Whether it counts nanoseconds.</param>
    /// <param name="owner">The program and its data, as words of the message.</param>
    /// <returns>Its number.</returns>
    /// <exception cref="VerbException">The boundaries of its histogram are malformed.</exception>
    public static int Make(VerbContext context, DeviceSelector device, ulong start, ulong length, long step, bool precise, string owner)
    {
        string histogram = context.Options.Value(Option.Bounds) is { } bounds ? LatencyBounds.Option(LatencyBounds.Parse(bounds), ref precise) : "";
        int count = (precise ? 1 : 0) + (histogram.Length > 0 ? 1 : 0);
        string range = start == 0 && length == 0 ? "-" : $"{start}+{length}";
        string words = count == 0 ? "" : $"{count} {(precise ? "precise_timestamps" : "")} {histogram}";
        string? answer = RegionTable.Send(context, device, $"@stats_create {range} {(step < 0 ? "/" : "")}{Math.Abs(step)} {words} {owner}");
        return NumberPrefix.Int32(answer);
    }

    /// <summary>Makes the regions of a device.</summary>
    public void Create(DeviceSelector device)
    {
        if (_context.Options.Value(Option.Bounds) is { } bounds)
        {
            LatencyBounds.Parse(bounds);
        }

        (DeviceInfo info, IReadOnlyList<TargetText> targets) = _context.Devices.Targets(device, DmFlags.StatusTable);
        if (!_context.Options.Has(Option.Segments))
        {
            ulong length = _length != 0 ? _length : targets.Aggregate(0UL, (sum, target) => sum + target.Length.Value);
            Create(device, info.Name, _start, length);
            return;
        }

        List<int> regions = [];
        foreach (TargetText target in targets)
        {
            regions.Add(Create(device, info.Name, target.Start.Value, target.Length.Value));
        }

        if (!_context.Options.Has(Option.NoGroup))
        {
            string? alias = _context.Options.Value(Option.Alias);
            string members = string.Join(',', regions);
            int group = RegionTable.Read(_context, device, RegionTable.DefaultProgram).MakeGroup(members, alias);
            _context.Out.WriteLine($"Grouped regions {members} as group ID {group}{(alias is null ? "" : " with alias ")}{alias}");
        }
    }

    private int Create(DeviceSelector device, string name, ulong start, ulong length)
    {
        int id = Make(_context, device, start, length, _step, _context.Options.Has(Option.Precise), $"{_program} {_data}");
        _context.Out.WriteLine($"{name}: Created new region with {AreasOf(length)} area(s) as region ID {id}");
        return id;
    }

    private ulong AreasOf(ulong length) =>
        _step == 0 || length == 0 ? 1
        : _step < 0 ? (ulong)-_step
        : (length / (ulong)_step) + (length % (ulong)_step == 0 ? 0UL : 1);

    private static ulong? Size(CommandLine options, Option option) =>
        options.Value(option) is not { } text ? null
        : SizeUnit.ParseSize(text) ?? throw new UsageException($"{OptionForm.Of(option)}: '{text}' is no size");
}
