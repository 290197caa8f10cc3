using DeviceMapper.Fuse.Operations;
using DeviceMapper.Fuse.Protocol;
using DeviceMapper.Native;
using Microsoft.Extensions.Logging;

namespace DeviceMapper.Fuse;

/// <summary>Serves one mount: answers the kernel's requests from a directory of files.</summary>
internal sealed class FuseServer : IDisposable
{
    private readonly FuseWorkers _workers;

    /// <summary>Takes over a descriptor of /dev/fuse that does not block.</summary>
    public FuseServer(int descriptor, FuseDirectory directory, ILogger logger)
    {
        Connection = new FuseConnection(descriptor, logger);
        Directory = directory;
        Logger = logger;
        _workers = new FuseWorkers(this);
    }

    public FuseConnection Connection { get; }

    public FuseDirectory Directory { get; }

    public ILogger Logger { get; }

    public IoBuffers Buffers { get; } = new();

    public RequestPool<ReadOperation> Reads { get; } = new();

    public RequestPool<WriteOperation> Writes { get; } = new();

    /// <summary>Set when the kernel and we have agreed on the protocol.</summary>
    public ManualResetEventSlim Initialized { get; } = new();

    /// <summary>Listings that are being read, by handle.</summary>
    public Listings Listings { get; } = new();

    /// <summary>How many threads handle requests now.</summary>
    public int ThreadCount => _workers.Count;

    public void Start() => _workers.Start();

    /// <summary>Returns when every RELEASE that has been read by now is handled. False if one takes longer than the limit.</summary>
    public bool FinishReleases(TimeSpan limit) => _workers.FinishTurns(limit);

    /// <summary>Answers a request, now or, where it is for a device that takes its time, later.</summary>
    public void Handle(in FuseRequest request, FuseWorker worker)
    {
        try
        {
            Dispatch(request, worker);
        }
        catch (DmException exception)
        {
            Connection.Refuse(request.Unique, exception.Errno);
        }
        catch (Exception exception)
        {
            Logger.LogError(exception, "fuse: {Opcode} failed", request.Opcode);
            Connection.Refuse(request.Unique, Errno.EIO);
        }
    }

    public void Dispose()
    {
        _workers.Dispose();
        Connection.Shut();
        foreach (FuseFile file in Directory.Files)
        {
            file.ReleaseAll();
        }

        Buffers.Trim();
    }

    private void Dispatch(in FuseRequest request, FuseWorker worker)
    {
        switch (request.Opcode)
        {
            case FuseOpcode.Read: ReadOperation.Handle(this, request); break;
            case FuseOpcode.Write: WriteOperation.Handle(this, request, worker); break;
            case FuseOpcode.Lookup: LookupOperation.Handle(this, request); break;
            case FuseOpcode.GetAttr: GetAttrOperation.Handle(this, request); break;
            case FuseOpcode.SetAttr: SetAttrOperation.Handle(this, request); break;
            case FuseOpcode.Open: OpenOperation.Handle(this, request); break;
            case FuseOpcode.Release: ReleaseOperation.Handle(this, request); break;
            case FuseOpcode.Fsync: FsyncOperation.Handle(this, request); break;
            case FuseOpcode.Fallocate: FallocateOperation.Handle(this, request); break;
            case FuseOpcode.Lseek: LseekOperation.Handle(this, request); break;
            case FuseOpcode.Ioctl: IoctlOperation.Handle(this, request); break;
            case FuseOpcode.OpenDir: Listings.Open(this, request); break;
            case FuseOpcode.ReadDir: ReadDirOperation.Handle(this, request); break;
            case FuseOpcode.ReleaseDir: Listings.Release(this, request); break;
            case FuseOpcode.StatFs: StatFsOperation.Handle(this, request); break;
            case FuseOpcode.Init: InitOperation.Handle(this, request); break;

            // Have no reply. We count no lookups: a node lives as long as its device.
            case FuseOpcode.Forget or FuseOpcode.BatchForget:
                break;

            case FuseOpcode.FsyncDir or FuseOpcode.Destroy:
                Connection.Reply(request.Unique);
                break;

            // Devices are made and named by the device mapper, not by files.
            case FuseOpcode.MkNod or FuseOpcode.MkDir or FuseOpcode.Create or FuseOpcode.SymLink or FuseOpcode.Link or FuseOpcode.TmpFile
                or FuseOpcode.Unlink or FuseOpcode.RmDir or FuseOpcode.Rename or FuseOpcode.Rename2:
                Connection.Refuse(request.Unique, Errno.EPERM);
                break;

            // ENOSYS tells the kernel not to ask again: FLUSH (each close(2); a block device's close makes nothing durable),
            // INTERRUPT (a bio in flight cannot be taken back: a process that waits for a suspended device can be killed
            // when it is resumed, as with the kernel's device mapper), extended attributes, ACCESS, POLL, locks, BMAP,
            // COPY_FILE_RANGE and whatever comes with later kernels.
            default:
                Connection.Refuse(request.Unique, Errno.ENOSYS);
                break;
        }
    }
}
