using DeviceMapper.Fuse.Native;
using DeviceMapper.Fuse.Protocol;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse;

/// <summary>A thread that reads requests and handles them, one after the other.</summary>
/// <remarks>
/// While there is more to read it plugs (<see cref="Plug"/>): a backend sends the reads and writes of a file that came together
/// at once. Nothing is held back while it handles a request of another file, which may hang, or waits.
///
/// It never sleeps in read(2), only in epoll_wait(2) when there is nothing to read. So the stretch from before a read to
/// when a RELEASE that it brought has been handled is short, and <see cref="FinishTurn"/> can wait for its end.
/// </remarks>
internal sealed unsafe class FuseWorker : IDisposable
{
    // Of a WRITE, the data starts at the second page: the header and fuse_write_in end right before it.
    private const int PageSize = 4096;
    private const int WriteHeaders = 80;
    private const int MessageLength = WriteHeaders + IoBuffers.MaxRequest;

    private const int LargestGroup = 128 << 10; // bytes; copying more takes longer than what holding back gains

    private readonly FuseServer _server;
    private readonly FuseWorkers _workers;
    private readonly bool _permanent;
    private readonly int _epoll;
    private IoBuffer _buffer;
    private long _turn; // odd while it may hold a RELEASE that is not handled
    private ulong _groupNode; // whose reads and writes are held back
    private uint _group; // bytes of them

    /// <summary>Makes the worker; <see cref="Run"/> is its thread.</summary>
    /// <param name="server">Whose requests.</param>
    /// <param name="workers">The others.</param>
    /// <param name="permanent">Whether it stays when there is nothing to do.</param>
    /// <param name="wakesAlways">Whether each request that comes wakes it; else one of those that sleep.</param>
    /// <param name="stopEvent">Readable when all are to stop.</param>
    public FuseWorker(FuseServer server, FuseWorkers workers, bool permanent, bool wakesAlways, int stopEvent)
    {
        _server = server;
        _workers = workers;
        _permanent = permanent;
        _buffer = server.Buffers.Receiving.Rent();
        _epoll = LibC.EpollCreate(LibC.EPOLL_CLOEXEC);
        if (_epoll < 0)
        {
            throw new DmException(Errnos.Last, "fuse: cannot wait for requests: epoll_create1 failed");
        }

        Watch(server.Connection.Descriptor, wakesAlways ? LibC.EPOLLIN : LibC.EPOLLIN | LibC.EPOLLEXCLUSIVE);
        Watch(stopEvent, LibC.EPOLLIN);
    }

    /// <summary>Counts up, twice for each request.</summary>
    public long Turn => Volatile.Read(ref _turn);

    /// <summary>Reads and handles requests until it is told to stop, the mount is gone, or it is one too many.</summary>
    public void Run()
    {
        Plug.Start();
        Serve();
        Plug.Finish();
    }

    /// <summary>Lets a request keep the memory that its message was read into; the worker takes other memory.</summary>
    public IoBuffer TakeBuffer()
    {
        IoBuffer taken = _buffer;
        _buffer = _server.Buffers.Receiving.Rent();
        return taken;
    }

    /// <summary>Returns when a RELEASE that it has read by now is handled. False if that is not so after a time.</summary>
    public bool FinishTurn(TimeSpan limit)
    {
        long turn = Turn;
        return (turn & 1) == 0 || SpinWait.SpinUntil(() => Turn != turn, limit);
    }

    public void Dispose()
    {
        _buffer.Return();
        _ = LibC.Close(_epoll);
    }

    private void Serve()
    {
        while (!_workers.Stopping)
        {
            Interlocked.Increment(ref _turn);
            nint length = LibC.Read(_server.Connection.Descriptor, _buffer.Address + PageSize - WriteHeaders, MessageLength);
            Errno error = length < 0 ? Errnos.Last : Errno.None;
            ReadOnlySpan<byte> message = length > 0 ? new((void*)(_buffer.Address + PageSize - WriteHeaders), (int)length) : [];
            bool parsed = FuseRequest.TryParse(message, out FuseRequest request);
            if (parsed && request.Opcode == FuseOpcode.Release)
            {
                Handle(request);
                parsed = false;
            }

            Interlocked.Increment(ref _turn);
            if (parsed)
            {
                Handle(request);
            }
            else if (length == 0 || error == Errno.EAGAIN)
            {
                EndGroup();
                if (length == 0 || !Wait())
                {
                    return;
                }
            }
            else if (error is not (Errno.None or Errno.EINTR or Errno.ENOENT))
            {
                // ENODEV: unmounted. ECONNABORTED: aborted. ENOENT is a request that was taken back while being read.
                _workers.Stop();
                return;
            }
        }
    }

    /// <summary>Handles a request, which joins those that are held back or comes after them.</summary>
    private void Handle(in FuseRequest request)
    {
        FuseDataIn data = default;
        bool joins = request.Opcode is FuseOpcode.Read or FuseOpcode.Write && request.TryRead(out data);
        if (!joins || request.Header.NodeId != _groupNode)
        {
            EndGroup();
        }

        _groupNode = request.Header.NodeId;
        _group += data.Size;
        _server.Handle(request, this);
        if (!joins || _group >= LargestGroup)
        {
            EndGroup();
        }
    }

    private void EndGroup()
    {
        Plug.Flush();
        _group = 0;
    }

    private bool Wait()
    {
        uint* happened = stackalloc uint[4];
        _workers.BecomesIdle();
        int count = LibC.EpollWait(_epoll, happened, 1, _permanent ? -1 : FuseWorkers.IdleMilliseconds);
        _workers.BecomesBusy();
        return count != 0 || _permanent;
    }

    private void Watch(int descriptor, uint events)
    {
        uint* wanted = stackalloc uint[4];
        wanted[0] = events;
        if (LibC.EpollControl(_epoll, LibC.EPOLL_CTL_ADD, descriptor, wanted) < 0)
        {
            throw new DmException(Errnos.Last, "fuse: cannot wait for requests: epoll_ctl failed");
        }
    }
}
