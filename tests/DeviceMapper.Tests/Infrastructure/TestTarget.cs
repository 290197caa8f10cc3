using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Targets;

namespace DeviceMapper.Tests.Infrastructure;

/// <summary>What the targets of a name do in a test, and what they were told.</summary>
public sealed class TestTargetScript
{
    private readonly List<string> _calls = [];

    /// <summary>Maps in place of passing on to the target's device.</summary>
    public Func<TestTarget, Bio, MapResult>? Map { get; set; }

    /// <summary>Sees ends, and may change the status.</summary>
    public Func<TestTarget, Bio, BioStatus, (EndResult Result, BioStatus Status)>? End { get; set; }

    /// <summary>Called by each step of suspend and resume, by the step's name; may throw.</summary>
    public Action<TestTarget, string>? OnStep { get; set; }

    /// <summary>Called for the status; may wait.</summary>
    public Func<string>? Status { get; set; }

    /// <summary>Called at the end of the constructor; may throw.</summary>
    public Action<TestTarget, TargetArguments>? Constructed { get; set; }

    /// <summary>Answers messages.</summary>
    public Func<IReadOnlyList<string>, string?>? Message { get; set; }

    /// <summary>See <see cref="Target.MaxIo"/>.</summary>
    public ulong MaxIo { get; set; }

    /// <summary>Clones of each flush; of other operations too.</summary>
    public int Copies { get; set; } = 1;

    /// <summary>See <see cref="Target.FlushBypassesMap"/>.</summary>
    public bool FlushBypassesMap { get; set; }

    /// <summary>What it was told, in order: <c>presuspend</c>, <c>postsuspend</c>, <c>undo</c>, <c>preresume</c>, <c>resume</c>, <c>dispose</c>.</summary>
    public IReadOnlyList<string> Calls
    {
        get
        {
            lock (_calls)
            {
                return [.. _calls];
            }
        }
    }

    internal void Tell(TestTarget target, string step)
    {
        lock (_calls)
        {
            _calls.Add(step);
        }

        OnStep?.Invoke(target, step);
    }
}

/// <summary>
/// A target that does what a test says: <c>test &lt;script&gt; [&lt;device&gt; [r|w]&lt;offset&gt;]...</c>. Without a script's word it passes on to its first
/// device. An <c>r</c> or <c>w</c> before the offset opens the device for reading, or for writing too, whatever the table's mode is.
/// </summary>
public sealed class TestTarget : Target
{
    private readonly List<(DeviceReference Device, Sector Offset, string Mode)> _devices = [];
    private readonly string _name;

    private TestTarget(TargetArguments arguments, TestTargetScript script)
        : base(arguments)
    {
        Script = script;
        _name = arguments[0];
        for (int i = 1; i + 1 < arguments.Count; i += 2)
        {
            string mode = arguments[i + 1][0] is 'r' or 'w' ? arguments[i + 1][..1] : "";
            DeviceReference device = arguments.Device(i, "device", mode switch { "r" => DeviceMode.ReadOnly, "w" => DeviceMode.ReadWrite, _ => null });
            _devices.Add((device, new Sector(ulong.Parse(arguments[i + 1][mode.Length..])), mode));
        }

        MaxIo = new SectorCount(script.MaxIo);
        FlushBios = DiscardBios = SecureEraseBios = WriteZeroesBios = script.Copies;
        FlushBypassesMap = script.FlushBypassesMap;
        WantsEnd = script.End is not null;
        script.Constructed?.Invoke(this, arguments);
    }

    /// <summary>What it does.</summary>
    public TestTargetScript Script { get; }

    /// <summary>Its devices.</summary>
    public IReadOnlyList<DeviceReference> Devices => [.. _devices.Select(d => d.Device)];

    /// <summary>A type of such targets.</summary>
    public static TargetType TypeOf(string name, TargetFeatures features, Func<string, TestTargetScript> scripts) =>
        new(name, new TargetVersion(1, 0, 0), "<script> [<device> <offset>]...", features, a =>
        {
            a.Expect(1, int.MaxValue);
            return new TestTarget(a, scripts(a[0]));
        });

    /// <summary>Sends a bio to one of its devices.</summary>
    public MapResult Pass(Bio bio, int device = 0)
    {
        bio.Device = _devices[device].Device.Device;
        bio.Sector = _devices[device].Offset + OffsetOf(bio.Sector);
        return MapResult.Remapped;
    }

    /// <inheritdoc/>
    public override MapResult Map(Bio bio) => Script.Map is { } map ? map(this, bio) : Pass(bio);

    /// <inheritdoc/>
    public override EndResult EndIo(Bio bio, ref BioStatus status)
    {
        (EndResult result, status) = Script.End!(this, bio, status);
        return result;
    }

    /// <inheritdoc/>
    public override void Presuspend() => Script.Tell(this, "presuspend");

    /// <inheritdoc/>
    public override void PresuspendUndo() => Script.Tell(this, "undo");

    /// <inheritdoc/>
    public override void Postsuspend() => Script.Tell(this, "postsuspend");

    /// <inheritdoc/>
    public override void Preresume() => Script.Tell(this, "preresume");

    /// <inheritdoc/>
    public override void Resume() => Script.Tell(this, "resume");

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, bool noflush) => text.Append(Script.Status?.Invoke() ?? "");

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text)
    {
        text.Append(TableParser.EscapeWord(_name));
        foreach ((DeviceReference device, Sector offset, string mode) in _devices)
        {
            text.Append($" {device.Name} {mode}{offset}");
        }
    }

    /// <inheritdoc/>
    public override string? Message(IReadOnlyList<string> words) => Script.Message is { } message ? message(words) : base.Message(words);

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas => _devices.Select(d => new TargetArea(d.Device, d.Offset, Length));

    /// <inheritdoc/>
    public override void Dispose()
    {
        Script.Tell(this, "dispose");
        base.Dispose();
    }
}
