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

    /// <summary>Whether a process has ended; one whose parent has not asked for its exit status yet has too.</summary>
    public static bool IsGone(int process)
    {
        if (process <= 0)
        {
            return false;
        }

        try
        {
            // No thread is left that still works.
            return StateOf(process) is 'Z' or 'X' && Directory.GetDirectories($"/proc/{process}/task").Length == 1;
        }
        catch (IOException)
        {
            return true; // no such process, or it went while it was looked at
        }
    }

    /// <summary>Whether a process is stopped, and may go on later.</summary>
    public static bool IsStopped(int process)
    {
        try
        {
            return process > 0 && StateOf(process) is 'T' or 't';
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static char StateOf(int process)
    {
        string stat = File.ReadAllText($"/proc/{process}/stat");
        return stat[stat.LastIndexOf(')') + 2];
    }
}
