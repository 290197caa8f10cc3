using System.Collections.Concurrent;
using DeviceMapper.Fuse.Mounting;
using DeviceMapper.Fuse.Native;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeviceMapper.Fuse;

/// <summary>
/// Shows mapped devices as files of one folder, by a FUSE file system: add it to a registry by
/// <see cref="DeviceRegistry.AddExport"/>. A file has the device's name, size and data, and the inode number minor + 2.
/// </summary>
/// <remarks>The process that mounts may use the files itself, but never from within a bio: it would wait for itself.</remarks>
public sealed class FuseMount : IDeviceExport, IDisposable
{
    private static readonly TimeSpan SettleLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan InitLimit = TimeSpan.FromSeconds(10);

    private readonly MountPoint _mountPoint;
    private readonly FuseServer _server;
    private readonly FuseDirectory _directory;
    private readonly uint _user = LibC.EffectiveUser();
    private readonly uint _group = LibC.EffectiveGroup();
    private readonly ConcurrentDictionary<MappedDevice, MappedFile> _files = new();
    private bool _disposed;

    /// <summary>
    /// Mounts on a folder: as root by mount(2), else by fusermount3. The folder is made if it is missing; what a killed
    /// daemon left mounted there is unmounted first.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="logger">Where it logs.</param>
    /// <exception cref="DmException">FUSE is not there (ENODEV, ENOENT), or refuses; the sentence says what is missing.</exception>
    public FuseMount(string folder, ILogger? logger = null)
        : this(folder, logger, byFusermount: false)
    {
    }

    internal FuseMount(string folder, ILogger? logger, bool byFusermount)
    {
        Folder = MountPoint.Resolve(folder);
        (_mountPoint, int descriptor) = MountPoint.Mount(Folder, byFusermount);
        _directory = new FuseDirectory(_user, _group);
        try
        {
            _server = new FuseServer(descriptor, _directory, logger ?? NullLogger.Instance);
        }
        catch
        {
            _ = LibC.Close(descriptor);
            _mountPoint.Unmount();
            throw;
        }

        try
        {
            _server.Start();
            if (!_server.Initialized.Wait(InitLimit))
            {
                throw new DmException(Errno.EPROTO, "the kernel's FUSE does not agree on the protocol");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The folder: an absolute path, its parent without symbolic links.</summary>
    public string Folder { get; }

    /// <summary>How many threads serve it now.</summary>
    internal int ThreadCount => _server.ThreadCount;

    /// <inheritdoc/>
    public void Appeared(MappedDevice device)
    {
        MappedFile file = new(device, _user, _group);
        if (_files.TryAdd(device, file))
        {
            _directory.Add(file);
        }
    }

    /// <inheritdoc/>
    public void Renamed(MappedDevice device, string oldName)
    {
        if (_files.TryGetValue(device, out MappedFile? file))
        {
            _directory.Rename(file, device.Name);
        }
    }

    /// <inheritdoc/>
    public void Changed(MappedDevice device)
    {
        if (_files.TryGetValue(device, out MappedFile? file))
        {
            Refresh(file);
        }
    }

    /// <inheritdoc/>
    public void Vanished(MappedDevice device)
    {
        if (_files.TryRemove(device, out MappedFile? file))
        {
            _directory.Remove(file);
            file.ReleaseAll();
        }
    }

    /// <summary>Returns when each close(2) of a file that has returned to its caller is counted.</summary>
    /// <remarks>
    /// close(2) queues a RELEASE, and does not wait for it. The kernel hands out requests in the order in which they were queued
    /// (<c>max_background</c> keeps none back), so when a request of our own has come round, each earlier RELEASE has been
    /// read; it remains to wait for the threads that read them. statfs(2) always asks us; a look at a name might share another's.
    /// </remarks>
    public unsafe void Settle()
    {
        if (FuseWorkers.IsWorker || _disposed)
        {
            return; // it would wait for itself
        }

        byte* answer = stackalloc byte[256];
        _ = LibC.StatFs(Folder, answer);
        _server.FinishReleases(SettleLimit);
    }

    /// <summary>
    /// Unmounts, lazily. What still waits for data fails with ENOTCONN; who has files open can only close them.
    /// Devices that were open are closed.
    /// </summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        try
        {
            _mountPoint.Unmount();
        }
        catch (DmException exception)
        {
            _server.Logger.LogWarning("fuse: {Sentence}", exception.Message);
        }

        _server.Dispose();
    }

    /// <summary>
    /// Makes the kernel ask for the size. It asks with each stat(2), but asynchronous direct reads of an open file go by the
    /// size that it has.
    /// </summary>
    private unsafe void Refresh(FuseFile file)
    {
        if (FuseWorkers.IsWorker || _disposed)
        {
            return;
        }

        byte* answer = stackalloc byte[256];
        _ = LibC.StatX(LibC.AT_FDCWD, Path.Join(Folder, file.Name), LibC.AT_STATX_FORCE_SYNC, LibC.STATX_BASIC_STATS, answer);
    }
}
