using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeviceMapper.Fuse.Native;
using DeviceMapper.Native;
using Microsoft.Extensions.Logging;

namespace DeviceMapper.Fuse.Protocol;

/// <summary>The kernel's end of a mount: the descriptor of /dev/fuse that requests are read from and replies are written to, by any thread.</summary>
internal sealed unsafe class FuseConnection
{
    private readonly ILogger _logger;

    /// <summary>Takes over a descriptor, which must not block.</summary>
    public FuseConnection(int descriptor, ILogger logger)
    {
        Descriptor = descriptor;
        _logger = logger;
    }

    public int Descriptor { get; }

    /// <summary>Says that a request is done, with nothing more to tell.</summary>
    public void Reply(ulong unique) => Send(unique, Errno.None, 0, 0);

    /// <summary>Refuses a request.</summary>
    public void Refuse(ulong unique, Errno errno) => Send(unique, errno, 0, 0);

    /// <summary>Answers with a struct.</summary>
    public void Reply<T>(ulong unique, T body)
        where T : unmanaged => Send(unique, Errno.None, (nint)(&body), Unsafe.SizeOf<T>());

    /// <summary>Answers with bytes.</summary>
    public void Reply(ulong unique, nint address, int length) => Send(unique, Errno.None, address, length);

    /// <summary>
    /// Lets go of the kernel's end: what still waits there fails with ENOTCONN. The number of the descriptor stays
    /// taken, by /dev/null, so that the reply of a bio that ends later goes nowhere, and to nobody else's file.
    /// </summary>
    public void Shut()
    {
        int nothing = LibC.Open("/dev/null", LibC.O_RDWR | LibC.O_CLOEXEC);
        if (nothing < 0)
        {
            _logger.LogWarning("fuse: /dev/null: {Error}; the connection stays open", Errnos.Last.Text());
            return;
        }

        _ = LibC.Dup2(nothing, Descriptor);
        _ = LibC.Fcntl(Descriptor, LibC.F_SETFD, LibC.FD_CLOEXEC);
        _ = LibC.Close(nothing);
    }

    private void Send(ulong unique, Errno errno, nint address, int length)
    {
        FuseOutHeader header = new() { Length = (uint)(sizeof(FuseOutHeader) + length), Error = -(int)errno, Unique = unique };
        IoVector* vectors = stackalloc IoVector[2];
        vectors[0] = new IoVector { Base = (nint)(&header), Length = sizeof(FuseOutHeader) };
        vectors[1] = new IoVector { Base = address, Length = length };
        if (LibC.WriteV(Descriptor, vectors, length == 0 ? 1 : 2) < 0)
        {
            // ENOENT: nobody waits for the reply any more. ENODEV, ECONNABORTED, EPIPE: the mount is gone.
            Errno error = Errnos.Last;
            if (error is not (Errno.ENOENT or Errno.ENODEV or Errno.EPIPE or Errno.ECONNRESET or Errno.ENOTCONN or (Errno)103))
            {
                _logger.LogError("fuse: a reply of {Length} bytes was refused: {Error}", header.Length, error.Text());
            }
        }
    }
}
