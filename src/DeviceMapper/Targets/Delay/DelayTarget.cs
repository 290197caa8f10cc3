using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Delay;

/// <summary>
/// Keeps I/O for a time before it goes to a device; reads, writes and flushes may have a device and a time of their own:
/// <c>delay &lt;device&gt; &lt;offset&gt; &lt;delay&gt; [&lt;write_device&gt; &lt;write_offset&gt; &lt;write_delay&gt;
/// [&lt;flush_device&gt; &lt;flush_offset&gt; &lt;flush_delay&gt;]]</c> (drivers/md/dm-delay.c).
/// </summary>
public sealed class DelayTarget : Target
{
    private const int Read = 0;
    private const int Write = 1;
    private const int Flush = 2;

    private readonly DelayClass[] _given; // one to three, as in the table
    private readonly DelayClass[] _classes; // of reads, writes and flushes
    private readonly DelayedBios _delayed;

    /// <summary>Takes one to three classes; flushes are as writes, and writes as reads, where they are not given.</summary>
    public DelayTarget(TargetArguments arguments)
        : base(arguments)
    {
        if (arguments.Count is not (3 or 6 or 9))
        {
            throw arguments.Refuse($"3, 6 or 9 arguments expected ({arguments.Type.Grammar}), {arguments.Count} given");
        }

        _given = new DelayClass[arguments.Count / 3];
        for (int i = 0; i < _given.Length; i++)
        {
            Sector offset = arguments.Sector((3 * i) + 1, "offset");
            uint milliseconds = arguments.Number32((3 * i) + 2, "delay", "a number of milliseconds");
            _given[i] = new DelayClass(arguments.Device(3 * i), offset, milliseconds);
        }

        _classes = [_given[0], _given[Math.Min(Write, _given.Length - 1)], _given[^1]];
        _delayed = new DelayedBios(Table.Owner.Registry.Options.Time, _classes.Length, static bio => bio.Send());
        FlushBios = 1;
        DiscardBios = 1;
    }

    /// <summary>The type <c>delay</c>.</summary>
    public static TargetType Definition { get; } = new(
        "delay",
        new(1, 4, 0),
        "<device> <offset> <delay> [<write_device> <write_offset> <write_delay> [<flush_device> <flush_offset> <flush_delay>]]",
        TargetFeatures.PassesIntegrity,
        arguments => new DelayTarget(arguments));

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        int index = bio.Operation switch { BioOperation.Read => Read, BioOperation.Flush => Flush, _ => Write };
        DelayClass of = _classes[index];
        bio.Device = of.Device.Device;
        bio.Sector = of.Offset + OffsetOf(bio.Sector);
        return of.Milliseconds != 0 && _delayed.TryAdd(bio, index, TimeSpan.FromMilliseconds(of.Milliseconds)) ? MapResult.Submitted : MapResult.Remapped;
    }

    /// <inheritdoc/>
    public override void Presuspend() => _delayed.SendAllAndClose();

    /// <inheritdoc/>
    public override void PresuspendUndo() => _delayed.Open();

    /// <inheritdoc/>
    public override void Resume() => _delayed.Open();

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, bool noflush) =>
        text.Append($"{_delayed.Count(Read)} {_delayed.Count(Write)} {_delayed.Count(Flush)}");

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text) => text.AppendJoin(' ', _given.Select(c => $"{c.Device.Name} {c.Offset} {c.Milliseconds}"));

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas => _given.Select(c => new TargetArea(c.Device, c.Offset, Length));

    private sealed record DelayClass(DeviceReference Device, Sector Offset, uint Milliseconds);
}
