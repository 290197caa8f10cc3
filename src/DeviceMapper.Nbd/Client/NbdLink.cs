using System.Runtime.InteropServices;
using DeviceMapper.Io;
using DeviceMapper.Nbd.Native;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Client;

/// <summary>
/// One connection to a server, after the handshake: any thread hands it requests, which are sent in groups; a thread of its own receives
/// replies. When the connection ends, that thread gives back whatever has no reply.
/// </summary>
internal sealed unsafe class NbdLink : IPlugged
{
    private const int MaxGroup = 64; // requests that are sent together
    private const int HeadersInBlock = 256;
    private const int HeaderRoom = 32;

    private readonly NbdStream _stream;
    private readonly RemoteExport _export;
    private readonly ILinkOwner _owner;
    private readonly int _largestGroup;
    private readonly object _lock = new(); // guards what follows; pulsed when a group is sent

    // Requests that have been handed over and have no reply, by the low half of their cookie; the high half counts uses of the place.
    private RemoteRequest?[] _places = new RemoteRequest?[HeadersInBlock];
    private uint[] _uses = new uint[HeadersInBlock];
    private readonly Stack<int> _free = new(Enumerable.Range(0, HeadersInBlock).Reverse());
    private readonly List<nint> _headerBlocks = [Allocate()]; // memory that requests' headers are sent from, by place
    private RemoteRequest? _first; // to be sent
    private RemoteRequest? _last;
    private bool _sending;
    private bool _stuck;
    private bool _broken; // nothing more can be sent
    private bool _closed;
    private string? _givenUp; // why, where it was ended from here
    private Thread? _waiter;

    // What is being sent; belongs to who set _sending.
    private readonly RemoteRequest[] _group = new RemoteRequest[MaxGroup];
    private readonly int[] _ends = new int[MaxGroup]; // vector after the last one of each request
    private readonly List<IoVector> _vectors = [];
    private int _groupCount;
    private int _firstVector;
    private int _sentCount; // requests of the group that are known to be sent

    /// <summary>Takes over a connection.</summary>
    /// <param name="stream">The connection.</param>
    /// <param name="export">What the server has told.</param>
    /// <param name="process">The server's process, where it is known.</param>
    /// <param name="owner">Told of replies and of the end.</param>
    public NbdLink(NbdStream stream, RemoteExport export, int process, ILinkOwner owner)
    {
        _stream = stream;
        _export = export;
        _owner = owner;
        _largestGroup = stream is TlsStream ? 1 : MaxGroup; // TLS does not tell how much of a group is sent
        Process = process;
    }

    /// <summary>The server's process, where it is known; else 0.</summary>
    public int Process { get; }

    /// <summary>Starts to receive.</summary>
    public void Start() => new Thread(Receive, 256 << 10) { IsBackground = true, Name = "nbd client" }.Start();

    /// <summary>Hands over a request. Does not wait.</summary>
    /// <returns>False where the connection has ended.</returns>
    public bool TrySend(RemoteRequest request)
    {
        lock (_lock)
        {
            if (_closed)
            {
                return false;
            }

            if (!_free.TryPop(out int place))
            {
                place = Grow();
            }

            _places[place] = request;
            ulong cookie = ((ulong)++_uses[place] << 32) | (uint)place;
            new NbdRequest(request.Flags, request.Command, cookie, request.Offset, request.Length).Write(new Span<byte>(Header(place), HeaderRoom));
            request.Place = place;
            Enqueue(request);
            if (_sending || Plug.TryHold(this))
            {
                return true;
            }

            _sending = true;
        }

        SendGroups();
        return true;
    }

    /// <inheritdoc/>
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

        SendGroups();
    }

    /// <summary>Ends it from here, after what has been sent: the server is told, where it still listens.</summary>
    public void Close(bool politely)
    {
        if (politely)
        {
            byte* message = stackalloc byte[NbdTransmission.RequestLength];
            new NbdRequest(NbdCommandFlags.None, NbdCommand.Disconnect, 0, 0, 0).Write(new Span<byte>(message, NbdTransmission.RequestLength));
            IoVector vector = new() { Base = (nint)message, Length = NbdTransmission.RequestLength };
            int first = 0;
            _ = _stream.Send(&vector, ref first, 1, wait: false);
        }

        _stream.Shutdown();
    }

    /// <summary>Whether a request has had no reply in time.</summary>
    public bool IsOverdue(long now)
    {
        lock (_lock)
        {
            return Array.Exists(_places, request => request is not null && request.Deadline < now);
        }
    }

    /// <summary>Ends it as if the server had.</summary>
    public void GiveUp(string why)
    {
        lock (_lock)
        {
            _givenUp ??= why;
        }

        _stream.Shutdown();
    }

    /// <summary>Closes a connection that was not started.</summary>
    public void CloseUnused()
    {
        Close(politely: true);
        Free();
    }

    private static nint Allocate() => (nint)NativeMemory.Alloc(HeadersInBlock * HeaderRoom);

    private byte* Header(int place) => (byte*)_headerBlocks[place / HeadersInBlock] + (place % HeadersInBlock * HeaderRoom);

    private int Grow()
    {
        int count = _places.Length;
        Array.Resize(ref _places, count + HeadersInBlock);
        Array.Resize(ref _uses, count + HeadersInBlock);
        _headerBlocks.Add(Allocate());
        for (int place = _places.Length - 1; place > count; place--)
        {
            _free.Push(place);
        }

        return count;
    }

    private void Enqueue(RemoteRequest request)
    {
        request.Next = null;
        if (_last is null)
        {
            _first = request;
        }
        else
        {
            _last.Next = request;
        }

        _last = request;
    }

    /// <summary>Sends what is there, until there is no more or it would have to wait: that is done by a thread of the connection's.</summary>
    private void SendGroups()
    {
        while (true)
        {
            lock (_lock)
            {
                if (!TakeGroup())
                {
                    _sending = false;
                    Monitor.PulseAll(_lock);
                    return;
                }
            }

            SendResult result = SendGroup(wait: false);
            if (result == SendResult.WouldBlock)
            {
                HandOver();
                return;
            }

            EndGroup(result);
        }
    }

    private bool TakeGroup()
    {
        _vectors.Clear();
        _groupCount = _firstVector = _sentCount = 0;
        if (_closed || _broken)
        {
            return false;
        }

        while (_first is { } request && _groupCount < _largestGroup)
        {
            _first = request.Next;
            request.Next = null;
            _vectors.Add(new IoVector { Base = (nint)Header(request.Place), Length = NbdTransmission.RequestLength });
            if (request.Command == NbdCommand.Write)
            {
                foreach (BufferSegment segment in request.Data)
                {
                    _vectors.Add(new IoVector { Base = segment.Address, Length = segment.Length });
                }
            }

            _group[_groupCount] = request;
            _ends[_groupCount++] = _vectors.Count;
        }

        if (_first is null)
        {
            _last = null;
        }

        return _groupCount > 0;
    }

    private SendResult SendGroup(bool wait)
    {
        fixed (IoVector* vectors = CollectionsMarshal.AsSpan(_vectors))
        {
            return _stream.Send(vectors, ref _firstVector, _vectors.Count, wait);
        }
    }

    /// <summary>Notes what is sent; a failure ends the connection, and the thread that receives gives the requests back.</summary>
    private void EndGroup(SendResult result)
    {
        if (result == SendResult.Failed)
        {
            _stream.Shutdown();
        }

        lock (_lock)
        {
            _broken |= result == SendResult.Failed;
            while (_sentCount < _groupCount && _ends[_sentCount] <= _firstVector)
            {
                _group[_sentCount++].IsSent = true;
            }

            Monitor.PulseAll(_lock);
        }
    }

    private void HandOver()
    {
        EndGroup(SendResult.WouldBlock);
        lock (_lock)
        {
            _stuck = true;
            if (_waiter is null)
            {
                _waiter = new Thread(SendStuck, 256 << 10) { IsBackground = true, Name = "nbd client sends" };
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

            SendResult result;
            do
            {
                // Piece by piece, so that it is known what is sent; under TLS a group is one request.
                result = _largestGroup == 1 ? SendGroup(wait: true) : _stream.WaitToSend() ? SendGroup(wait: false) : SendResult.Failed;
                EndGroup(result);
            }
            while (result == SendResult.WouldBlock);

            SendGroups();
        }
    }

    private void Receive()
    {
        using ReplyReader reader = new(_stream, _export, Find);
        string? why = null;
        try
        {
            while (reader.Receive())
            {
                Plug.Start();
                try
                {
                    while (reader.TryRead(out RemoteRequest? done))
                    {
                        if (done is not null)
                        {
                            _owner.Replied(this, Take(done));
                        }
                    }
                }
                finally
                {
                    Plug.Finish();
                }
            }
        }
        catch (NbdProtocolException e)
        {
            why = e.Message;
        }

        List<RemoteRequest> unanswered = TakeAll();
        Free();
        _owner.Lost(this, why ?? _givenUp, unanswered);
    }

    private void Free()
    {
        _stream.Dispose();
        foreach (nint block in _headerBlocks)
        {
            NativeMemory.Free((void*)block);
        }
    }

    /// <summary>The request of a cookie; null if there is none.</summary>
    private RemoteRequest? Find(ulong cookie)
    {
        lock (_lock)
        {
            uint place = (uint)cookie;
            return place < (uint)_places.Length && _uses[place] == (uint)(cookie >> 32) ? _places[place] : null;
        }
    }

    /// <summary>A request has its reply: nobody touches its memory any more. A server that answers before it has all data has to wait.</summary>
    private RemoteRequest Take(RemoteRequest request)
    {
        lock (_lock)
        {
            while (!request.IsSent && !_broken)
            {
                Monitor.Wait(_lock);
            }

            _places[request.Place] = null;
            _free.Push(request.Place);
            return request;
        }
    }

    private List<RemoteRequest> TakeAll()
    {
        _stream.Shutdown();
        lock (_lock)
        {
            _closed = true;
            Monitor.PulseAll(_lock);
            while (_sending)
            {
                Monitor.Wait(_lock);
            }

            _first = _last = null;
            return [.. _places.OfType<RemoteRequest>()];
        }
    }
}

/// <summary>Who uses an <see cref="NbdLink"/>.</summary>
internal interface ILinkOwner
{
    /// <summary>A request has its reply. On the link's thread.</summary>
    void Replied(NbdLink link, RemoteRequest request);

    /// <summary>The connection has ended, or was closed. Called once, last of all.</summary>
    /// <param name="link">The connection.</param>
    /// <param name="why">What the server did wrong, or null.</param>
    /// <param name="unanswered">Requests without a reply; sent, or not.</param>
    void Lost(NbdLink link, string? why, List<RemoteRequest> unanswered);
}
