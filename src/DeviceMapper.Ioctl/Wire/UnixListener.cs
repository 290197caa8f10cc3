using System.Net.Sockets;
using System.Text;
using DeviceMapper.Native;

namespace DeviceMapper.Ioctl;

/// <summary>Makes listening Unix sockets that only their owner can connect to.</summary>
public static class UnixListener
{
    /// <summary>The longest path, in bytes: <c>sizeof(sun_path)</c> less the NUL.</summary>
    public const int MaxPath = 107;

    private const int Backlog = 512;

    /// <summary>Makes a socket of mode 0600. A file that is there is removed first.</summary>
    /// <exception cref="DmException">ENAMETOOLONG, or why it cannot be made.</exception>
    public static Socket Bind(string path)
    {
        int length = Encoding.UTF8.GetByteCount(path);
        if (length > MaxPath)
        {
            throw new DmException(
                Errno.ENAMETOOLONG, $"the socket's path {path} has {length} bytes, {MaxPath} can be; a shorter folder is given by --run");
        }

        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            File.Delete(path);
            uint mask = LibC.umask(0x7f); // 0177, so that there is no moment at which others could connect
            try
            {
                socket.Bind(new UnixDomainSocketEndPoint(path));
            }
            finally
            {
                _ = LibC.umask(mask);
            }

            socket.Listen(Backlog);
            return socket;
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            socket.Dispose();
            Errno errno = e is SocketException s ? (Errno)s.NativeErrorCode : Errno.EACCES;
            throw new DmException(errno, $"the socket {path} cannot be made", e);
        }
    }
}
