using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.LogWrites;

/// <summary>
/// Passes I/O to a device, and logs every write, discard and flush on another, in the order in which they became durable, so that
/// any moment can be replayed: <c>log-writes &lt;dev_path&gt; &lt;log_dev_path&gt;</c> (drivers/md/dm-log-writes.c).
/// </summary>
/// <remarks>
/// A write is logged when a flush that was submitted after its end has ended: entries between two flushes may have reached the medium in
/// any combination. One that is durable by itself (FUA) is logged at its end. The device's sectors are those of the mapped
/// device: there is no offset.
/// </remarks>
public sealed class LogWritesTarget : Target
{
    private const string EndMark = "dm-log-writes-end";

    private readonly DeviceReference _device;
    private readonly DeviceReference _log;
    private readonly LogWriter _writer;
    private readonly uint _blockSize; // bytes
    private readonly bool _passesDiscards;
    private readonly Lock _lock = new();
    private LoggedBioList _unflushed; // guarded by _lock

    /// <summary>Takes the device and the log's device; further words are not looked at, as in the kernel.</summary>
    public LogWritesTarget(TargetArguments arguments)
        : base(arguments)
    {
        arguments.Expect(2, int.MaxValue);
        _device = arguments.Device(0);
        _log = arguments.Device(1, "log device");
        QueueLimits limits = _device.Device.Limits;
        _blockSize = limits.LogicalBlockSize;
        _passesDiscards = limits.MaxDiscard.Value != 0;
        _writer = new LogWriter(_log, _blockSize, why => Table.Owner.Logger.LogStopped(Table.Owner.Name, why));
        FlushBios = 1;
        FlushSupported = true;
        DiscardBios = 1;
        DiscardsSupported = true;
        WantsEnd = true;
    }

    /// <summary>The type <c>log-writes</c>.</summary>
    public static TargetType Definition { get; } = new(
        "log-writes", new(1, 1, 0), "<dev_path> <log_dev_path>", TargetFeatures.None, arguments => new LogWritesTarget(arguments));

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        bio.Device = _device.Device;
        bio.Context = null;
        if (bio.Operation == BioOperation.Read || !_writer.IsEnabled)
        {
            return MapResult.Remapped;
        }

        LogFlags flags = (bio.Operation == BioOperation.Flush ? LogFlags.Flush : 0)
            | ((bio.Flags & BioFlags.Fua) != 0 ? LogFlags.Fua : 0)
            | (bio.Operation == BioOperation.Discard ? LogFlags.Discard : 0);
        LoggedBio logged = _writer.CreateEntry(bio.Operation == BioOperation.Flush ? default : bio.Sector, bio.Count, flags, bio.HasData);
        bio.Context = logged;
        if (bio.HasData)
        {
            bio.Buffer.CopyTo(_writer.DataOf(logged));
        }
        else if (bio.Operation == BioOperation.Flush)
        {
            lock (_lock)
            {
                logged.Before.AddAll(ref _unflushed);
            }
        }
        else if (bio.Operation == BioOperation.Discard && !_passesDiscards)
        {
            bio.End(BioStatus.Ok);
            return MapResult.Submitted;
        }

        return MapResult.Remapped;
    }

    /// <inheritdoc/>
    public override EndResult EndIo(Bio bio, ref BioStatus status)
    {
        if (bio.Context is not LoggedBio logged)
        {
            return EndResult.Done;
        }

        // As in the kernel, a write that failed is logged too: parts of it may be on the medium.
        LoggedBioList ready = default;
        if ((logged.Entry.Flags & LogFlags.Flush) != 0)
        {
            ready = logged.Before;
            logged.Before = default;
            ready.Add(logged);
            _writer.Write(ref ready);
        }
        else if ((logged.Entry.Flags & LogFlags.Fua) != 0)
        {
            ready.Add(logged);
            _writer.Write(ref ready);
        }
        else
        {
            lock (_lock)
            {
                _unflushed.Add(logged);
            }
        }

        return EndResult.Done;
    }

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, bool noflush)
    {
        (ulong entries, ulong lastSector) = _writer.Position;
        text.Append($"{entries} {lastSector}{(_writer.IsEnabled ? "" : " logging_disabled")}");
    }

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text) => text.Append($"{_device.Name} {_log.Name}");

    /// <inheritdoc/>
    public override string? Message(IReadOnlyList<string> words)
    {
        if (words.Count != 2 || !words[0].Equals("mark", StringComparison.OrdinalIgnoreCase))
        {
            throw new DmException(Errno.EINVAL, $"{Type.Name}: message: '{string.Join(' ', words)}' is not 'mark' and one word");
        }

        Mark(words[1]);
        return null;
    }

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas => [new(_device, default, Length)];

    /// <inheritdoc/>
    public override QueueLimits AdjustLimits(QueueLimits limits) => _passesDiscards
        ? limits with { IoMin = limits.PhysicalBlockSize }
        : limits with { IoMin = limits.PhysicalBlockSize, DiscardGranularity = _blockSize, MaxDiscard = SectorCount.FromBytes(uint.MaxValue) };

    /// <summary>Logs what was not flushed, and an end; waits for it, as the kernel does. A log that was never live gets its end too.</summary>
    public override void Dispose()
    {
        LoggedBioList rest = default;
        lock (_lock)
        {
            rest.AddAll(ref _unflushed);
        }

        _writer.Write(ref rest);
        Mark(EndMark);
        _writer.Drain();
        base.Dispose();
    }

    private void Mark(string text)
    {
        LoggedBioList mark = default;
        mark.Add(_writer.CreateMark(text));
        _writer.Write(ref mark);
    }
}
