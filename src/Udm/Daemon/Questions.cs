using System.Globalization;
using System.Text;
using DeviceMapper;
using DeviceMapper.Native;
using DeviceMapper.Nbd.Server;

namespace Udm.Daemon;

/// <summary>Answers verbs that dmsetup does not have, and that no ioctl would do for.</summary>
internal sealed class Questions(NbdServer nbd)
{
    /// <summary>Answers one.</summary>
    /// <exception cref="DmException">It cannot be answered.</exception>
    public string Answer(IReadOnlyList<string> words) => words switch
    {
        ["nbd", "ls"] => NbdConnections(),
        ["nbd", "disconnect", var which] => NbdDisconnect(which),
        _ => throw new DmException(Errno.EOPNOTSUPP, $"this daemon cannot answer '{string.Join(' ', words)}'"),
    };

    /// <summary>A line a connection: number, device, client, plain or tls, requests so far; separated by tabs.</summary>
    private string NbdConnections()
    {
        StringBuilder text = new();
        foreach (NbdConnectionInfo connection in nbd.Connections)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"{connection.Id}\t{connection.Device ?? "-"}\t{connection.Peer}\t{(connection.Tls ? "tls" : "plain")}\t{connection.Requests}\n");
        }

        return text.ToString();
    }

    private string NbdDisconnect(string which)
    {
        bool isNumber = long.TryParse(which, NumberStyles.None, CultureInfo.InvariantCulture, out long id);
        int count = nbd.Disconnect(connection => connection.Device == which || (isNumber && connection.Id == id));
        return count > 0 ? $"{count}" : throw new DmException(Errno.ENXIO, $"no client has the number or the device '{which}'");
    }
}
