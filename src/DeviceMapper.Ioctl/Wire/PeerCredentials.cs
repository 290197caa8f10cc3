using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace DeviceMapper.Ioctl;

/// <summary>Who is at the other end of a Unix socket, by the kernel's word.</summary>
internal static class PeerCredentials
{
    private const int SolSocket = 1, SoPeerCred = 17;

    /// <summary>Whether a peer may control this process's devices: its own user, and root.</summary>
    public static bool MayControl(Socket socket, out uint user)
    {
        Span<byte> credentials = stackalloc byte[12]; // struct ucred: pid, uid, gid
        socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials);
        user = MemoryMarshal.Read<uint>(credentials[4..]);
        return user == 0 || user == LibC.geteuid();
    }
}
