using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using DeviceMapper.Native;

namespace DeviceMapper.Ioctl;

/// <summary>Calls ioctls of a daemon over its control socket. One call at a time; connects at the first one.</summary>
public sealed class ControlClient : IControl, IDisposable
{
    private const int BatchSize = 256 * 1024; // bytes of requests that go in one frame

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(10);

    private readonly string _path;
    private Socket? _socket;
    private FrameStream? _frames;

    /// <summary>A client of the daemon that listens on a socket.</summary>
    /// <param name="path">The path of its control socket.</param>
    public ControlClient(string path) => _path = path;

    /// <summary>Called when a call takes long, with what it waits for: <c>waits for 17 I/Os of m; use --noflush</c>. On the calling thread.</summary>
    public Action<string>? Waiting { get; set; }

    /// <summary>How long the first call waits for a daemon that is not there: one that has just been started. Zero unless set.</summary>
    public TimeSpan Patience { get; set; }

    /// <inheritdoc/>
    /// <exception cref="DmException">Besides refusals: ENXIO: no daemon answers; ECONNRESET: it went away; EINTR: cancelled.</exception>
    public DmReply Call(DmCommand command, DmIoctl request, CancellationToken cancellation = default)
    {
        try
        {
            return CallUntilItFits(command, request, cancellation);
        }
        finally
        {
            if (request.Has(DmFlags.SecureData))
            {
                request.Wipe();
            }
        }
    }

    /// <inheritdoc/>
    /// <exception cref="DmException">No daemon answers, it went away, or the whole was cancelled.</exception>
    public IReadOnlyList<DmOutcome> CallEach(DmCommand command, IReadOnlyList<DmIoctl> requests, CancellationToken cancellation = default)
    {
        List<DmOutcome> outcomes = new(requests.Count);
        List<DmIoctl> batch = [];
        int size = 0;
        foreach (DmIoctl request in requests)
        {
            batch.Add(Sized(command, request));
            size += batch[^1].Bytes.Length;
            if (size >= BatchSize)
            {
                CallBatch(command, batch, outcomes, cancellation);
                batch.Clear();
                size = 0;
            }
        }

        CallBatch(command, batch, outcomes, cancellation);
        return outcomes;
    }

    /// <summary>Passes an ioctl of somebody else's on as it is: with its number, its versions, and its room for the answer.</summary>
    /// <param name="number">The ioctl's number.</param>
    /// <param name="request">The struct and its payload.</param>
    /// <exception cref="DmException">As of <see cref="Call"/>.</exception>
    public void Forward(uint number, ReadOnlySpan<byte> request)
    {
        try
        {
            Connected().Send(FrameKind.Call, number, request);
        }
        catch (Exception e) when (IsLoss(e))
        {
            throw Lost(e, default);
        }
    }

    /// <summary>Whether the answer to what was forwarded has come, or comes within a time.</summary>
    public bool Answers(TimeSpan within) => _frames?.Comes(within) ?? true;

    /// <summary>Waits for the answer to what was forwarded; of a refusal there is an exception.</summary>
    /// <param name="cancellation">Ends a call that waits, with EINTR.</param>
    /// <returns>The struct, and as much behind it as is meant, until the next call.</returns>
    /// <exception cref="DmException">As of <see cref="Call"/>.</exception>
    public Memory<byte> ForwardedAnswer(CancellationToken cancellation = default)
    {
        Frame frame = Receive(cancellation);
        Reply reply = Reply.Decode(frame.Body);
        return frame.Code == 0 ? frame.Body[^reply.Ioctl.Length..] : throw new DmException((Errno)frame.Code, reply.Sentence);
    }

    /// <summary>Waits until the global event number has moved past the one that <see cref="DmCommand.DevArmPoll"/> remembered, or, without that, the one at the time of connecting (poll(2) on the control node).</summary>
    public void Poll(CancellationToken cancellation = default) => Read(Exchange(FrameKind.Poll, 0, [], cancellation));

    /// <summary>Asks the daemon something that is no ioctl.</summary>
    /// <param name="words">The question.</param>
    /// <returns>Its answer.</returns>
    /// <exception cref="DmException">It refuses, or no daemon answers.</exception>
    public string Ask(params IEnumerable<string> words)
    {
        Frame frame = Exchange(FrameKind.Ask, 0, Encoding.UTF8.GetBytes(string.Concat(words.Select(word => word + '\0'))), default);
        Reply reply = Reply.Decode(frame.Body);
        return frame.Code == 0 ? Encoding.UTF8.GetString(reply.Ioctl.Span) : throw new DmException((Errno)frame.Code, reply.Sentence);
    }

    /// <inheritdoc/>
    public void GiveKey(string type, string description, ReadOnlySpan<byte> key)
    {
        byte[] name = Encoding.UTF8.GetBytes($"{type}\0{description}\0");
        byte[] body = GC.AllocateUninitializedArray<byte>(name.Length + key.Length, pinned: true);
        name.CopyTo(body, 0);
        key.CopyTo(body.AsSpan(name.Length));
        try
        {
            Read(Exchange(FrameKind.Key, 0, body, default));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(body);
        }
    }

    /// <summary>Closes the connection; what the daemon still does for it is undone.</summary>
    public void Dispose()
    {
        _socket?.Dispose();
        _socket = null;
        _frames = null;
    }

    private DmReply CallUntilItFits(DmCommand command, DmIoctl request, CancellationToken cancellation)
    {
        DmIoctl sent = Sized(command, request);
        while (true)
        {
            DmReply reply;
            try
            {
                reply = Read(Exchange(FrameKind.Call, command.IoctlNumber(), sent.Bytes, cancellation));
            }
            finally
            {
                if (request.Has(DmFlags.SecureData) && sent != request)
                {
                    sent.Wipe();
                }
            }

            if (!reply.Ioctl.Has(DmFlags.BufferFull))
            {
                return reply;
            }

            if (sent.Bytes.Length >= DmIoctl.MaxDataSize)
            {
                throw new DmException(Errno.EOVERFLOW, $"the answer is larger than {DmIoctl.MaxDataSize} bytes");
            }

            sent = request.Copy((int)Math.Min(DmIoctl.MaxDataSize, 2L * sent.Bytes.Length));
        }
    }

    /// <summary>The request as it is sent: the daemon needs its bytes to be as many as it says, and no payload where that is ignored.</summary>
    private static DmIoctl Sized(DmCommand command, DmIoctl request) =>
        request.WithSize(command.IgnoresPayload() ? DmIoctl.HeaderSize : Math.Max(checked((int)request.DataSize), request.Bytes.Length));

    /// <summary>Sends several requests in one frame. What does not fit its answer is called again by itself.</summary>
    private void CallBatch(DmCommand command, List<DmIoctl> requests, List<DmOutcome> outcomes, CancellationToken cancellation)
    {
        if (requests.Count == 0)
        {
            return;
        }

        Frame answer = Exchange(FrameKind.Batch, command.IoctlNumber(), Batch.Join(requests), cancellation);
        // All are read before another frame takes this one's place.
        List<DmOutcome> answered = [.. Batch.SplitReplies(answer.Body, requests.Count).Select(Outcome)];
        outcomes.AddRange(requests.Zip(answered, (request, outcome) =>
            outcome.Reply?.Ioctl.Has(DmFlags.BufferFull) == true ? CallAlone(command, request, cancellation) : outcome));

        static DmOutcome Outcome((Errno Errno, Reply Reply) told) =>
            told.Errno == Errno.None ? new DmOutcome(Read(told.Reply), null) : new DmOutcome(null, new DmException(told.Errno, told.Reply.Sentence));
    }

    private DmOutcome CallAlone(DmCommand command, DmIoctl request, CancellationToken cancellation)
    {
        try
        {
            return new DmOutcome(CallUntilItFits(command, request, cancellation), null);
        }
        catch (DmException refusal)
        {
            return new DmOutcome(null, refusal);
        }
    }

    private Frame Exchange(FrameKind kind, uint code, ReadOnlySpan<byte> body, CancellationToken cancellation)
    {
        try
        {
            Connected().Send(kind, code, body);
        }
        catch (Exception e) when (IsLoss(e))
        {
            throw Lost(e, cancellation);
        }

        return Receive(cancellation);
    }

    private Frame Receive(CancellationToken cancellation)
    {
        try
        {
            // A closed connection is the daemon's signal to give up; and the shutdown ends our own wait.
            Socket socket = _socket ?? throw new EndOfStreamException();
            using CancellationTokenRegistration hangup = cancellation.Register(() => socket.Shutdown(SocketShutdown.Both));
            while (_frames!.Receive() is { } frame)
            {
                if (frame.Kind == FrameKind.Progress)
                {
                    Waiting?.Invoke(Encoding.UTF8.GetString(frame.Body.Span));
                    continue;
                }

                if (frame.Kind != FrameKind.Reply)
                {
                    throw new InvalidDataException($"frame of kind {frame.Kind}");
                }

                return frame;
            }

            throw new EndOfStreamException();
        }
        catch (Exception e) when (IsLoss(e))
        {
            throw Lost(e, cancellation);
        }
    }

    private static bool IsLoss(Exception e) => e is SocketException or IOException or InvalidDataException or ObjectDisposedException;

    private DmException Lost(Exception e, CancellationToken cancellation)
    {
        Dispose();
        return cancellation.IsCancellationRequested
            ? new DmException(Errno.EINTR, "given up", e)
            : e is InvalidDataException
            ? new DmException(Errno.EPROTO, $"what answers at {_path} is not this version of the udm daemon", e)
            : new DmException(Errno.ECONNRESET, $"the udm daemon at {_path} went away", e);
    }

    private static DmReply Read(Frame frame)
    {
        Reply reply = Reply.Decode(frame.Body);
        if (frame.Code != 0)
        {
            throw new DmException((Errno)frame.Code, reply.Sentence);
        }

        return Read(reply);
    }

    private static DmReply Read(Reply reply) => new(new DmIoctl(reply.Ioctl.Span), reply.Warnings);

    private FrameStream Connected() => _frames ??= new FrameStream(_socket = Connect());

    private Socket Connect()
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return ConnectOnce();
            }
            catch (DmException refusal) when (refusal.Errno == Errno.ENXIO && Stopwatch.GetElapsedTime(started) < Patience)
            {
                Thread.Sleep(LookAgain);
            }
        }
    }

    private Socket ConnectOnce()
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(_path));
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw e.SocketErrorCode == SocketError.AccessDenied
                ? new DmException(Errno.EACCES, $"the udm daemon at {_path} is somebody else's", e)
                : new DmException(Errno.ENXIO, $"no udm daemon answers at {_path}; 'udm daemon' starts one", e);
        }
        catch (ArgumentOutOfRangeException e)
        {
            socket.Dispose();
            throw new DmException(Errno.ENAMETOOLONG, $"the socket's path {_path} is longer than the 107 bytes that a socket can have", e);
        }
    }
}
