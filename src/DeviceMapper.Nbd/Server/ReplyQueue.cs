using System.Runtime.InteropServices;
using DeviceMapper.Io;
using DeviceMapper.Nbd.Native;
using DeviceMapper.Nbd.Protocol;
using DeviceMapper.Nbd.Server.Commands;

namespace DeviceMapper.Nbd.Server;

/// <summary>
/// Sends the replies of one connection, in groups. What ends on the connection's own thread, most of it, is gathered without a lock
/// until <see cref="Flush"/>. What ends elsewhere is sent at once by the thread that ended it, if that needs no waiting; else by
/// a thread of the connection's: a client that does not read must not hold up a backend.
/// </summary>
internal sealed unsafe class ReplyQueue : IPlugged, IDisposable
{
    private readonly NbdStream _stream;
    private readonly int _ownThread = Environment.CurrentManagedThreadId;
    private readonly Batch _own = new();

    private readonly object _lock = new(); // guards what follows; pulsed when a send has ended
    private readonly Batch _elsewhere = new(); // belongs to who is sending
    private Command? _first; // ended elsewhere, not sent
    private Command? _last;
    private Command? _ended; // sent elsewhere, not recycled
    private long _endedCount;
    private bool _sending; // somebody is: nobody else may
    private bool _stuck; // who was sending would have had to wait
    private bool _closed;
    private Thread? _waiter;
    private volatile bool _failed;

    /// <summary>Makes the queue; on the connection's own thread.</summary>
    public ReplyQueue(NbdStream stream) => _stream = stream;

    /// <summary>Bytes that wait for <see cref="Flush"/>.</summary>
    public int OwnBytes => _own.Bytes;

    /// <summary>Commands that wait for it.</summary>
    public int OwnCount => _own.Count;

    /// <summary>A command of the connection has its reply, or, where that is empty, nothing to say.</summary>
    public void Post(Command command)
    {
        if (Environment.CurrentManagedThreadId == _ownThread)
        {
            _own.Add(command);
            return;
        }

        lock (_lock)
        {
            command.Next = null;
            if (_last is null)
            {
                _first = command;
            }
            else
            {
                _last.Next = command;
            }

            _last = command;
            if (_sending || Plug.TryHold(this))
            {
                return;
            }

            _sending = true;
        }

        SendElsewhere(wait: false);
    }

    /// <summary>Sends what has ended on a thread that ends many at once.</summary>
    public void Unplug()
    {
        lock (_lock)
        {
            if (_sending || _first is null)
            {
                return;
            }

            _sending = true;
        }

        SendElsewhere(wait: false);
    }

    /// <summary>Sends what has been gathered, and recycles all commands whose replies are sent. On the connection's own thread.</summary>
    /// <returns>How many commands have ended.</returns>
    public int Flush()
    {
        int ended = 0;
        if (_own.Count > 0)
        {
            lock (_lock)
            {
                while (_sending)
                {
                    Monitor.Wait(_lock);
                }

                _sending = true;
            }

            _own.Prepare();
            _failed |= !_failed && _own.Send(_stream, wait: true) == SendResult.Failed;
            foreach (Command command in _own.Commands)
            {
                command.End(elsewhere: false);
                command.Recycle();
            }

            ended = _own.Count;
            _own.Clear();
            SendElsewhere(wait: true); // what has come meanwhile; gives up the sending
        }

        return ended + Collect();
    }

    /// <summary>Waits until commands have ended elsewhere, and recycles them. On the connection's own thread, with nothing gathered.</summary>
    public int Wait()
    {
        lock (_lock)
        {
            while (_ended is null)
            {
                Monitor.Wait(_lock);
            }
        }

        return Collect();
    }

    /// <summary>Frees its memory, and ends its thread. No command is under way.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _closed = true;
            Monitor.PulseAll(_lock);
        }

        _waiter?.Join();
        _own.Dispose();
        _elsewhere.Dispose();
    }

    private int Collect()
    {
        if (Volatile.Read(ref _ended) is null)
        {
            return 0;
        }

        Command? command;
        int count;
        lock (_lock)
        {
            command = _ended;
            count = (int)_endedCount;
            _ended = null;
            _endedCount = 0;
        }

        while (command is not null)
        {
            Command? next = command.Next;
            command.Recycle();
            command = next;
        }

        return count;
    }

    /// <summary>Sends what has ended elsewhere, until there is no more or it has to wait. The caller has set <see cref="_sending"/>.</summary>
    private void SendElsewhere(bool wait)
    {
        while (true)
        {
            lock (_lock)
            {
                EndSent();
                while (_first is { } command)
                {
                    _first = command.Next;
                    _elsewhere.Add(command);
                }

                _last = null;
                if (_elsewhere.Count == 0)
                {
                    _sending = false;
                    Monitor.PulseAll(_lock);
                    return;
                }
            }

            _elsewhere.Prepare();
            if (_failed)
            {
                continue;
            }

            SendResult result = _elsewhere.Send(_stream, wait);
            _failed |= result == SendResult.Failed;
            if (result == SendResult.WouldBlock)
            {
                HandOver();
                return;
            }
        }
    }

    /// <summary>Commands whose replies are sent belong to the connection's thread again. Under the lock.</summary>
    private void EndSent()
    {
        foreach (Command command in _elsewhere.Commands)
        {
            command.End(elsewhere: true);
            command.Next = _ended;
            Volatile.Write(ref _ended, command);
        }

        _endedCount += _elsewhere.Count;
        _elsewhere.Clear();
    }

    private void HandOver()
    {
        lock (_lock)
        {
            _stuck = true;
            if (_waiter is null)
            {
                _waiter = new Thread(SendStuck, 256 << 10) { IsBackground = true, Name = "nbd replies" };
                _waiter.Start();
            }

            Monitor.PulseAll(_lock);
        }
    }

    private void SendStuck()
    {
        while (true)
        {
            lock (_lock)
            {
                while (!_stuck)
                {
                    if (_closed)
                    {
                        return;
                    }

                    Monitor.Wait(_lock);
                }

                _stuck = false;
            }

            _failed |= _elsewhere.Send(_stream, wait: true) == SendResult.Failed;
            SendElsewhere(wait: true);
        }
    }

    /// <summary>Replies that are sent together.</summary>
    private sealed class Batch : IDisposable
    {
        private readonly List<Command> _commands = new(256);
        private IoVector* _vectors;
        private int _capacity;
        private int _count; // of vectors
        private int _first; // vector that is not sent
        private bool _hasPieces;

        /// <summary>How many commands.</summary>
        public int Count => _commands.Count;

        /// <summary>How many bytes.</summary>
        public int Bytes { get; private set; }

        /// <summary>The commands.</summary>
        public ReadOnlySpan<Command> Commands => CollectionsMarshal.AsSpan(_commands);

        public void Add(Command command)
        {
            _commands.Add(command);
            _hasPieces |= command.Pieces is not null;
            Bytes += command.ReplyLength;
        }

        /// <summary>Says which pieces are the last of their request, and makes the vectors: replies that lie side by side are one.</summary>
        public void Prepare()
        {
            if (_hasPieces)
            {
                EndPieces();
            }

            if (_capacity < Count)
            {
                _capacity = Math.Max(2 * _capacity, Math.Max(64, Count));
                _vectors = (IoVector*)NativeMemory.Realloc(_vectors, (nuint)(_capacity * sizeof(IoVector)));
            }

            nint end = 0;
            foreach (Command command in Commands)
            {
                nint start = (nint)command.Reply;
                if (start == end)
                {
                    _vectors[_count - 1].Length += command.ReplyLength;
                }
                else if (command.ReplyLength > 0)
                {
                    _vectors[_count++] = new IoVector { Base = start, Length = command.ReplyLength };
                }
                else
                {
                    continue;
                }

                end = start + command.ReplyLength;
            }
        }

        public SendResult Send(NbdStream stream, bool wait) => stream.Send(_vectors, ref _first, _count, wait);

        public void Clear()
        {
            _commands.Clear();
            _count = 0;
            _first = 0;
            Bytes = 0;
            _hasPieces = false;
        }

        public void Dispose()
        {
            NativeMemory.Free(_vectors);
            _vectors = null;
        }

        private void EndPieces()
        {
            foreach (Command command in Commands)
            {
                if (command.Pieces is { } pieces && pieces.IsLast())
                {
                    command.FinishPieces();
                }
            }
        }
    }
}
