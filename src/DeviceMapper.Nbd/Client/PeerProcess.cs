using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace DeviceMapper.Nbd.Client;

/// <summary>The process behind a Unix socket.</summary>
internal static class PeerProcess
{
    private const int SolSocket = 1, SoPeerCred = 17;

    /// <summary>Its number; 0 where it cannot be told.</summary>
    public static int Of(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[12]; // struct ucred: pid, uid, gid
        socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials);
        return MemoryMarshal.Read<int>(credentials);
    }

    /// <summary>Whether a process has ended.</summary>
    public static bool IsGone(int process) => process > 0 && !Directory.Exists($"/proc/{process}");
}
