using System.Diagnostics;
using System.Runtime.CompilerServices;
using DeviceMapper.Io;
using DeviceMapper.Nbd.Protocol;
using DeviceMapper.Nbd.Server.Commands;

namespace DeviceMapper.Nbd.Server;

/// <content>From a request to its command.</content>
internal sealed unsafe partial class Transmission
{
    private const NbdCommandFlags KnownFlags =
        NbdCommandFlags.Fua | NbdCommandFlags.NoHole | NbdCommandFlags.DontFragment | NbdCommandFlags.ReqOne | NbdCommandFlags.FastZero;

    private const int MaxWaiters = 32; // with more, disks get no faster

    private readonly WriteTimes _writeTimes = new();
    private bool _allowsNoWait;
    private CommandPool<RefuseCommand>? _refuses;
    private CommandPool<ReadCommand>? _reads;
    private CommandPool<WriteCommand>? _writes;
    private CommandPool<FlushCommand>? _flushes;
    private CommandPool<RangeCommand>? _ranges;
    private CommandPool<BlockStatusCommand>? _blockStatuses;

    /// <summary>Pools of commands, which give themselves back.</summary>
    public CommandPool<RefuseCommand> Refuses => _refuses ??= new(() => new RefuseCommand(this));

    /// <inheritdoc cref="Refuses"/>
    public CommandPool<ReadCommand> Reads => _reads ??= new(() => new ReadCommand(this));

    /// <inheritdoc cref="Refuses"/>
    public CommandPool<WriteCommand> Writes => _writes ??= new(() => new WriteCommand(this));

    /// <inheritdoc cref="Refuses"/>
    public CommandPool<FlushCommand> Flushes => _flushes ??= new(() => new FlushCommand(this));

    /// <inheritdoc cref="Refuses"/>
    public CommandPool<RangeCommand> Ranges => _ranges ??= new(() => new RangeCommand(this));

    /// <inheritdoc cref="Refuses"/>
    public CommandPool<BlockStatusCommand> BlockStatuses => _blockStatuses ??= new(() => new BlockStatusCommand(this));

    /// <summary>Threads that wait for a disk in place of this one.</summary>
    public Submitters Waiters { get; } = new(MaxWaiters);

    /// <summary>Whether a read that would have to wait is better done by another thread: there are other requests for this one.</summary>
    public bool MayHandOver => _allowsNoWait && HasMore;

    private bool HasMore => _underWay > 1 || _received.Used - _start >= NbdTransmission.RequestLength;

    /// <summary>Submits a write here, or, where that takes long and there are other requests, on another thread.</summary>
    public void SubmitWrite(WriteCommand write)
    {
        bool timed = _writeTimes.TimesNext();
        if (!timed)
        {
            if (_writeTimes.AreLong && HasMore)
            {
                Waiters.Take(write);
            }
            else
            {
                write.Submit();
            }

            return;
        }

        int length = write.Length; // it may have ended, and be another one, when it is submitted
        long before = Stopwatch.GetTimestamp();
        write.Submit();
        _writeTimes.Took((Stopwatch.GetTimestamp() - before) / TicksInMicrosecond, length);
    }

    /// <summary>Handles a request that has no data.</summary>
    private void Handle(in NbdRequest request)
    {
        NbdError error = request.Command switch
        {
            NbdCommand.Flush => (request.Flags & ~KnownFlags) != 0 ? NbdError.EINVAL : NbdError.None,
            NbdCommand.Read => CheckRange(request, NbdTransmission.MaxPayload, writes: false),
            NbdCommand.Cache or NbdCommand.BlockStatus => CheckRange(request, uint.MaxValue, writes: false),
            NbdCommand.Trim or NbdCommand.WriteZeroes => CheckRange(request, uint.MaxValue, writes: true),
            _ => NbdError.EINVAL,
        };
        if (error == NbdError.None && request.Command == NbdCommand.BlockStatus && Export.Contexts == MetaContexts.None)
        {
            error = NbdError.EINVAL;
        }

        if (error != NbdError.None)
        {
            Refuse(request, error);
            return;
        }

        switch (request.Command)
        {
            case NbdCommand.Read when Export.StructuredReplies && request.Length > PieceLength && (request.Flags & NbdCommandFlags.DontFragment) == 0:
                ReadLarge(request);
                break;
            case NbdCommand.Read:
                Reads.Rent().Start(request, request.Offset, (int)request.Length, null);
                break;
            case NbdCommand.Flush:
                Flushes.Rent().Start(request);
                break;
            case NbdCommand.BlockStatus:
                BlockStatuses.Rent().Start(request);
                break;
            default:
                Ranges.Rent().Start(request);
                break;
        }
    }

    private void Refuse(in NbdRequest request, NbdError error)
    {
        // Where structured replies are agreed on, those to reads and block status must be structured.
        bool structured = Export.StructuredReplies && request.Command is NbdCommand.Read or NbdCommand.BlockStatus;
        Refuses.Rent().Start(request, error, structured);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private NbdError CheckRange(in NbdRequest request, uint largest, bool writes)
    {
        ulong size = Device.Size.Bytes;
        ulong blockMask = Device.Limits.LogicalBlockSize - 1;
        if ((request.Flags & ~KnownFlags) != 0 || request.Length > largest || request.Length == 0
            || ((request.Offset | request.Length) & blockMask) != 0)
        {
            return NbdError.EINVAL;
        }

        if (writes && Device.IsReadOnly)
        {
            return NbdError.EPERM;
        }

        return request.Offset > size || request.Length > size - request.Offset
            ? writes ? NbdError.ENOSPC : NbdError.EINVAL
            : NbdError.None;
    }

    /// <summary>Handles a write, of which some or all of the data is received. A small one is received whole.</summary>
    /// <returns>False where the connection ends within the data.</returns>
    private bool Write(in NbdRequest request)
    {
        int received = _received.Used - _start;
        NbdError error = CheckRange(request, NbdTransmission.MaxPayload, writes: true);
        if (error != NbdError.None)
        {
            if (!Skip(request.Length))
            {
                return false;
            }

            Refuse(request, error);
            return true;
        }

        if (request.Length <= received)
        {
            byte* data = _received.Address + _start;
            _start += (int)request.Length;
            Writes.Rent().Start(request, request.Offset, data, (int)request.Length, _received, null);
            return true;
        }

        _receiveLimit = LargestInline; // the next one may be as large, and its data should not be copied
        return WriteLarge(request);
    }

    private bool Skip(uint length)
    {
        int here = (int)Math.Min(length, (uint)(_received.Used - _start));
        _start += here;
        long left = length - here;
        if (left == 0)
        {
            return true;
        }

        Flush();
        byte* waste = ReserveData(BufferPool.Usual);
        while (left > 0)
        {
            int part = (int)Math.Min(left, BufferPool.Usual);
            if (!_stream.ReceiveExactly(waste, part))
            {
                return false;
            }

            left -= part;
        }

        return true;
    }
}
