using System.Diagnostics;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Nbd.Protocol;
using DeviceMapper.Nbd.Server.Commands;

namespace DeviceMapper.Nbd.Server;

/// <summary>
/// The transmission phase of a connection, on a thread of its own: one receive takes all requests that are there, their bios are
/// submitted at once, and the replies of those that have ended meanwhile are sent together. Bios that take longer are
/// answered when they end, in whatever order that is.
/// </summary>
/// <remarks>
/// Reads have their memory behind the place of their reply's header, so that header and data are sent as one; small writes are
/// written from where they were received; data of large ones is received into buffers that stay in the processor's cache.
/// </remarks>
internal sealed unsafe partial class Transmission : IDisposable
{
    /// <summary>The longest piece of a large read or write, in bytes: it is still in the cache when it is sent, or written.</summary>
    public const int PieceLength = 128 << 10;

    /// <summary>Commands under way; a client that sends more has to wait for replies.</summary>
    public const int MaxCommands = 4096;

    /// <summary>Memory of commands under way; a client that needs more has to wait, unless it is for a single command.</summary>
    public const long MaxMemory = 64 << 20;

    private const int LargestInline = 64 << 10; // data of a write that is received together with other requests
    private const int LargestGroup = 128 << 10; // bytes of replies that are sent together

    private readonly NbdStream _stream;
    private readonly BufferPool _pool;
    private readonly List<NativeBuffer> _retired = []; // full, with commands that have not ended
    private NativeBuffer _received;
    private NativeBuffer _replies;
    private NativeBuffer _data; // of large writes
    private int _start; // of what has been received and not handled
    private int _receiveLimit = BufferPool.Usual;
    private readonly Receiver _receiver;
    private int _underWay;
    private long _memory; // of _received, _replies, _retired

    /// <summary>Starts the phase; on the thread that will run it.</summary>
    public Transmission(NbdStream stream, NegotiatedExport export, BufferPool pool)
    {
        _stream = stream;
        _pool = pool;
        Device = export.Device;
        Export = export;
        Replies = new ReplyQueue(stream);
        _receiver = new Receiver(stream);
        _received = TakeBuffer(BufferPool.Usual);
        _replies = TakeBuffer(BufferPool.Usual);
        _data = TakeBuffer(BufferPool.Usual);
    }

    /// <summary>What the client uses.</summary>
    public MappedDevice Device { get; }

    /// <summary>What the client has agreed on.</summary>
    public NegotiatedExport Export { get; }

    /// <summary>Where replies go.</summary>
    public ReplyQueue Replies { get; }

    /// <summary>Requests so far.</summary>
    public long Requests { get; private set; }

    /// <summary>Serves until the client disconnects, or breaks the protocol.</summary>
    /// <returns>What the client did wrong, for the log; null where it just left.</returns>
    public string? Run()
    {
        string? wrong;
        Plug.Start();
        do
        {
            long before = Requests;
            wrong = HandleReceived(out bool disconnected);
            Flush();
            _receiver.Handled(Requests - before);
            if (disconnected || wrong is not null)
            {
                break;
            }
        }
        while (ReceiveMore());

        EndCommands();
        Plug.Finish();
        return wrong;
    }

    /// <summary>Frees the memory. No command is under way.</summary>
    public void Dispose()
    {
        EndCommands();
        Waiters.Dispose();
        _readers.Dispose();
        _writers.Dispose();
        Replies.Dispose();
        _retired.Add(_received);
        _retired.Add(_replies);
        _retired.Add(_data);
        foreach (NativeBuffer buffer in _retired)
        {
            _pool.Return(buffer);
        }

        _retired.Clear();
    }

    /// <summary>Room for a reply in one piece.</summary>
    /// <param name="length">Its bytes, at most.</param>
    /// <param name="skip">Its data starts after so many bytes, and is to start on a page; 0 where it does not matter.</param>
    public byte* Reserve(int length, int skip, out NativeBuffer buffer)
    {
        int start = Place(_replies, skip);
        if (start + length > _replies.Length)
        {
            Flush();
            if (_replies.IsInUse || length + PageSize > _replies.Length)
            {
                Retire(ref _replies, length + PageSize);
            }

            _replies.Used = 0;
            start = Place(_replies, skip);
        }

        buffer = _replies;
        _replies.Used = start + length;
        return _replies.Address + start;
    }

    /// <summary>Starts a command, with room for its reply.</summary>
    public void Begin(Command command, ulong cookie, int replyLength, int skip = 0)
    {
        while (_underWay >= MaxCommands)
        {
            Flush();
            if (_underWay >= MaxCommands)
            {
                _underWay -= Replies.Wait();
            }
        }

        byte* reply = Reserve(replyLength, skip, out NativeBuffer buffer);
        command.Begin(cookie, buffer, reply);
        _underWay++;
    }

    private const int PageSize = 4096;
    private static readonly long TicksInMicrosecond = Stopwatch.Frequency / 1_000_000;

    private static int Place(NativeBuffer buffer, int skip) =>
        skip == 0 ? buffer.Used : ((buffer.Used + skip + PageSize - 1) & -PageSize) - skip;

    /// <summary>Sends the replies that are ready, and what backends have held back; before each wait.</summary>
    private void Flush()
    {
        Plug.Flush();
        _underWay -= Replies.Flush();
        if (_replies.Used > 0 && !_replies.IsInUse)
        {
            _replies.Used = 0; // the same memory again, while it is in the cache
            if (_replies.Length > BufferPool.Usual)
            {
                Retire(ref _replies, BufferPool.Usual);
            }
        }
    }

    /// <summary>Waits for more requests. What was received and not handled moves to the front, or to another buffer where that one is in use.</summary>
    private bool ReceiveMore()
    {
        int left = _received.Used - _start;
        if (_received.IsInUse)
        {
            NativeBuffer before = _received;
            before.Begin(); // until the rest is copied
            Retire(ref _received, BufferPool.Usual);
            Buffer.MemoryCopy(before.Address + _start, _received.Address, left, left);
            before.End(elsewhere: false);
        }
        else if (left > 0)
        {
            Buffer.MemoryCopy(_received.Address + _start, _received.Address, left, left);
        }

        _start = 0;
        _received.Used = left;
        int received = _receiver.Receive(_received.Address + left, Math.Min(_receiveLimit, _received.Length - left));
        _received.Used += Math.Max(received, 0);
        return received > 0;
    }

    /// <summary>Handles all requests that have been received whole.</summary>
    /// <returns>What the client did wrong, or null.</returns>
    private string? HandleReceived(out bool disconnected)
    {
        disconnected = false;
        _allowsNoWait = Device.AllowsNoWait;
        _receiveLimit = BufferPool.Usual;
        while (_received.Used - _start >= NbdTransmission.RequestLength)
        {
            if (!NbdRequest.TryRead(new ReadOnlySpan<byte>(_received.Address + _start, NbdTransmission.RequestLength), out NbdRequest request))
            {
                return "a request does not start with the magic number";
            }

            if (request.Command == NbdCommand.Disconnect)
            {
                disconnected = true;
                return null;
            }

            if (request.Command == NbdCommand.Write)
            {
                if (request.Length <= LargestInline && _received.Used - _start - NbdTransmission.RequestLength < request.Length)
                {
                    return null; // the rest is still to come
                }

                _start += NbdTransmission.RequestLength;
                if (!Write(request))
                {
                    disconnected = true;
                    return null;
                }
            }
            else
            {
                _start += NbdTransmission.RequestLength;
                Handle(request);
            }

            Requests++;
            if (Replies.OwnBytes >= LargestGroup)
            {
                Flush();
            }
        }

        return null;
    }

    /// <summary>Waits until no command is under way.</summary>
    private void EndCommands()
    {
        Flush();
        while (_underWay > 0)
        {
            _underWay -= Replies.Wait();
        }
    }

    /// <summary>Puts a full buffer aside and takes another one, when the client's share of memory allows it.</summary>
    private void Retire(ref NativeBuffer buffer, int length)
    {
        _retired.Add(buffer);
        while (true)
        {
            ReturnEnded();
            if (_memory + length <= MaxMemory || _underWay == 0)
            {
                break;
            }

            Plug.Flush();
            _underWay -= Replies.Flush();
            if (_underWay > 0)
            {
                _underWay -= Replies.Wait();
            }
        }

        buffer = TakeBuffer(length);
    }

    private NativeBuffer TakeBuffer(int length)
    {
        NativeBuffer buffer = _pool.Rent(length);
        _memory += buffer.Length;
        return buffer;
    }

    private void ReturnEnded()
    {
        for (int i = _retired.Count - 1; i >= 0; i--)
        {
            NativeBuffer buffer = _retired[i];
            if (!buffer.IsInUse)
            {
                _retired.RemoveAt(i);
                _memory -= buffer.Length;
                _pool.Return(buffer);
            }
        }
    }
}
