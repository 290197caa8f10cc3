using System.Collections.Concurrent;
using DeviceMapper.Fuse.Protocol;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Operations;

/// <summary>
/// OPENDIR and RELEASEDIR: who lists the directory sees what was there when he began, so nothing is listed twice or
/// left out however often devices come and go meanwhile.
/// </summary>
internal sealed class Listings
{
    private readonly ConcurrentDictionary<ulong, FuseFile[]> _open = new();
    private ulong _lastHandle;

    /// <summary>How many are being read.</summary>
    public int Count => _open.Count;

    public void Open(FuseServer server, in FuseRequest request)
    {
        if (request.Header.NodeId != FuseDirectory.RootNode)
        {
            server.Connection.Refuse(request.Unique, Errno.ENOTDIR);
            return;
        }

        ulong handle = Interlocked.Increment(ref _lastHandle);
        _open[handle] = server.Directory.Files;
        server.Connection.Reply(request.Unique, new FuseOpenOut { Handle = handle });
    }

    public void Release(FuseServer server, in FuseRequest request)
    {
        if (request.TryRead(out FuseReleaseIn release))
        {
            _open.TryRemove(release.Handle, out _);
        }

        server.Connection.Reply(request.Unique);
    }

    /// <summary>The files of a listing; null if there is none of this handle. Read from its start, it begins anew.</summary>
    public FuseFile[]? Get(ulong handle, bool anew, FuseDirectory directory)
    {
        if (!_open.TryGetValue(handle, out FuseFile[]? files))
        {
            return null;
        }

        return anew ? _open[handle] = directory.Files : files;
    }
}
