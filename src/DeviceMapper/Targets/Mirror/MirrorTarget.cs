using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Mirror;

/// <summary>
/// The same data on several devices: <c>mirror &lt;log type&gt; &lt;#log words&gt; &lt;log words&gt; &lt;#legs&gt; (&lt;device&gt; &lt;offset&gt;)...
/// [&lt;#features&gt; [handle_errors [keep_log]]]</c> (drivers/md/dm-raid1.c). Regions that are not equal on all legs are copied while it is in use.
/// </summary>
/// <remarks>
/// Reads go to the default leg; writes to all, or to the default leg alone where the others are still to be copied. Both are
/// mapped where they come, but for writes to a region that is being copied, or that the log does not have marked: these go to the <see cref="MirrorWorker"/>.
/// </remarks>
public sealed class MirrorTarget : Target, IBioCompletion
{
    private const uint MostLegs = 9; // the kernel's copier has one source and eight destinations

    // A read's ContextValue: the leg, whether it was tried on another leg before, and how far into the target it begins.
    private const int LegMask = 15;
    private const int Retried = 16;
    private const int OffsetShift = 5;

    private readonly MirrorLegs _legs;
    private readonly DirtyLog _log;
    private readonly RegionStates _regions;
    private readonly MirrorFeatures _features;
    private readonly MirrorWorker _worker;
    private readonly uint _regionSize; // sectors

    /// <summary>Takes the log, the legs and the features, in this order.</summary>
    public MirrorTarget(TargetArguments arguments)
        : base(arguments)
    {
        arguments.Expect(2, int.MaxValue);
        LogArguments log = LogArguments.Parse(arguments);
        _log = log.Device is null
            ? new CoreLog(log)
            : new DiskLog(log, reason => arguments.Refuse(2, "log device", reason), FlushLegs, () => Failed($"the log's device {log.Device.Name} failed"));
        int at = log.Words;
        int count = (int)arguments.Number32(at++, "number of legs", $"a number from 2 to {MostLegs}", least: 2, most: MostLegs);
        if (arguments.Count - at < 2 * count)
        {
            throw arguments.Refuse(at - 1, "number of legs", $"needs a device and an offset for each leg: {2 * count} words, of which there are {arguments.Count - at}");
        }

        MirrorLeg[] legs = new MirrorLeg[count];
        for (int i = 0; i < count; i++, at += 2)
        {
            Sector offset = arguments.Sector(at + 1, "offset");
            legs[i] = new MirrorLeg(arguments.Device(at, "leg"), offset);
        }

        _features = MirrorFeatures.Parse(arguments, at);
        _legs = new MirrorLegs(legs, _features.HandleErrors, Failed);
        _regions = new RegionStates(_log);
        _worker = new MirrorWorker(this, _legs, _log, _regions, _features, Table.Owner.Registry.Options.Time);
        _regionSize = _log.RegionSize;
        MaxIo = new SectorCount(_regionSize);
        FlushBios = 1;
        DiscardBios = 1;
        WantsEnd = true;
    }

    /// <summary>The type <c>mirror</c>.</summary>
    public static TargetType Definition { get; } = new(
        "mirror",
        new(1, 14, 0),
        "<log type> <#log words> <log words> <#legs> (<device> <offset>)... [<#features> [handle_errors [keep_log]]]",
        TargetFeatures.None,
        arguments => new MirrorTarget(arguments));

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        bio.ContextValue = 0;
        if (bio.Operation == BioOperation.Read)
        {
            return MapRead(bio, OffsetOf(bio.Sector), 0) ? MapResult.Remapped : MapResult.Kill;
        }

        if (_worker.KeepsWrites)
        {
            _worker.Queue(bio);
            return MapResult.Submitted;
        }

        switch (Enter(bio, marking: false))
        {
            case RegionEntry.InSync:
                SendToAll(bio);
                return MapResult.Submitted;
            case RegionEntry.NoSync when !(_legs.HaveFailed && _features.HoldsWrites):
                MapToDefault(bio);
                return MapResult.Remapped;
            case RegionEntry.NoSync:
                _worker.QueueFailed(bio);
                return MapResult.Submitted;
            default:
                _worker.Queue(bio);
                return MapResult.Submitted;
        }
    }

    /// <inheritdoc/>
    public override EndResult EndIo(Bio bio, ref BioStatus status)
    {
        if (bio.Operation != BioOperation.Read)
        {
            if (bio.ContextValue != 0 && _regions.Leave((int)(bio.ContextValue - 1)))
            {
                _worker.WakeUp();
            }

            return EndResult.Done;
        }

        return status is BioStatus.Ok or BioStatus.Unsupported || (bio.Flags & BioFlags.ReadAhead) != 0 ? EndResult.Done : ReadFailed(bio, ref status);
    }

    /// <summary>One of the writes to the legs has ended.</summary>
    void IBioCompletion.BioEnded(Bio bio)
    {
        Bio write = (Bio)bio.Context!;
        if (bio.Status != BioStatus.Ok)
        {
            Interlocked.Or(ref write.FirstError, 1 << (int)bio.ContextValue);
        }

        bio.Return();
        if (Interlocked.Decrement(ref write.Pending) == 0)
        {
            WriteEnded(write);
        }
    }

    /// <inheritdoc/>
    public override void Presuspend() => _worker.Stop();

    /// <inheritdoc/>
    public override void PresuspendUndo() => _worker.Start();

    /// <inheritdoc/>
    public override void Postsuspend() => _worker.CleanAll();

    /// <inheritdoc/>
    public override void Resume()
    {
        _worker.ResumeLog();
        _worker.Start();
    }

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, bool noflush)
    {
        text.Append($"{_legs.Count} ");
        for (int i = 0; i < _legs.Count; i++)
        {
            text.Append($"{_legs[i].Device.Name} ");
        }

        text.Append($"{_log.SyncCount}/{_log.RegionCount} 1 ");
        for (int i = 0; i < _legs.Count; i++)
        {
            text.Append(_legs[i].Health);
        }

        text.Append(' ');
        _log.AppendStatus(text);
    }

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text)
    {
        _log.AppendTable(text);
        text.Append(_legs.Count);
        for (int i = 0; i < _legs.Count; i++)
        {
            text.Append($" {_legs[i].Device.Name} {_legs[i].Offset}");
        }

        _features.AppendTo(text);
    }

    /// <inheritdoc/>
    public override void Measure(Measurement measurement)
    {
        measurement.Add("nr_mirrors", _legs.Count);
        for (int i = 0; i < _legs.Count; i++)
        {
            measurement.Add($"mirror_device_{i}", _legs[i].Device.Name).Add($"mirror_device_{i}_status", _legs[i].Health);
        }

        measurement.Add("handle_errors", _features.HandleErrors).Add("keep_log", _features.KeepLog).Add("log_type_status", "");
    }

    /// <summary>Those of the default leg.</summary>
    public override (SectorCount Length, bool Hole) ExtentAt(Sector start, SectorCount length)
    {
        MirrorLeg leg = _legs[_legs.Default];
        return leg.Device.ExtentAt(leg.Offset + OffsetOf(start), length);
    }

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas =>
        Enumerable.Range(0, _legs.Count).Select(i => new TargetArea(_legs[i].Device, _legs[i].Offset, Length));

    /// <inheritdoc/>
    public override void Dispose()
    {
        _worker.Dispose();
        base.Dispose();
    }

    /// <summary>The region of a write, which lies in one.</summary>
    internal int RegionOf(Bio bio) => (int)(OffsetOf(bio.Sector).Value / _regionSize);

    /// <summary>Counts a write in its region, which <see cref="EndIo"/> undoes. Flushes and discards go to all legs without that, as in the kernel.</summary>
    internal RegionEntry Enter(Bio bio, bool marking)
    {
        if (bio.Operation != BioOperation.Write)
        {
            return RegionEntry.InSync;
        }

        int region = RegionOf(bio);
        RegionEntry entry = _regions.Enter(region, marking);
        if (entry != RegionEntry.Wait)
        {
            bio.ContextValue = (ulong)region + 1;
        }

        return entry;
    }

    /// <summary>Sends a write, discard or flush to all legs. While they are under way the bio counts them, as if it were their parent.</summary>
    internal void SendToAll(Bio bio)
    {
        int count = _legs.Count;
        bool flush = bio.Operation == BioOperation.Flush;
        SectorCount offset = flush ? default : OffsetOf(bio.Sector);
        bio.Pending = count;
        bio.FirstError = 0;
        for (int i = 0; i < count; i++)
        {
            MirrorLeg leg = _legs[i];
            Bio child = Bio.Rent();
            child.Operation = bio.Operation;
            child.Flags = bio.Flags;
            child.Device = leg.Device.Device;
            child.Sector = flush ? default : leg.Offset + offset;
            child.Count = bio.Count;
            child.Buffer = bio.Buffer;
            child.Context = bio;
            child.ContextValue = (ulong)i;
            child.Submit(this);
        }
    }

    /// <summary>Sends a write to the default leg alone.</summary>
    internal void SendToDefault(Bio bio)
    {
        MapToDefault(bio);
        bio.Send();
    }

    private void MapToDefault(Bio bio)
    {
        MirrorLeg leg = _legs[_legs.Default];
        bio.Device = leg.Device.Device;
        bio.Sector = leg.Offset + OffsetOf(bio.Sector);
    }

    private bool MapRead(Bio bio, SectorCount offset, ulong retried)
    {
        int index = _legs.ForRead(_regions.IsInSync((int)(offset.Value / _regionSize)));
        if (index < 0)
        {
            return false;
        }

        bio.Device = _legs[index].Device.Device;
        bio.Sector = _legs[index].Offset + offset;
        bio.ContextValue = (offset.Value << OffsetShift) | retried | (uint)index;
        return true;
    }

    /// <summary>Reads from another leg, where the region is in sync.</summary>
    private EndResult ReadFailed(Bio bio, ref BioStatus status)
    {
        ulong context = bio.ContextValue;
        _legs.Fail((int)(context & LegMask), LegErrors.Read);
        if (MapRead(bio, new SectorCount(context >> OffsetShift), Retried))
        {
            bio.Send();
            return EndResult.Incomplete;
        }

        status = (context & Retried) != 0 ? BioStatus.IoError : status;
        return EndResult.Done;
    }

    private void WriteEnded(Bio write)
    {
        if (write.FirstError == 0)
        {
            write.End(BioStatus.Ok);
            return;
        }

        if (write.Operation == BioOperation.Discard)
        {
            write.End(BioStatus.Unsupported); // no reason to give up a leg
            return;
        }

        for (int i = 0; i < _legs.Count; i++)
        {
            if ((write.FirstError & (1 << i)) != 0)
            {
                _legs.Fail(i, LegErrors.Write);
            }
        }

        _worker.QueueFailed(write);
    }

    /// <summary>For the log: what was written is durable on all legs before regions become clean.</summary>
    private bool FlushLegs()
    {
        bool flushed = true;
        for (int i = 0; i < _legs.Count; i++)
        {
            if (BlockingIo.Flush(_legs[i].Device.Device) != BioStatus.Ok)
            {
                flushed = false;
                _legs.Fail(i, LegErrors.Flush);
            }
        }

        return flushed;
    }

    private void Failed(string what)
    {
        Table.Owner.Logger.MirrorFailed(Table.Owner.Name, what);
        Table.RaiseEvent();
    }
}
