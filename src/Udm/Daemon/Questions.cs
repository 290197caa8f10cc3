using System.Globalization;
using System.Text;
using DeviceMapper;
using DeviceMapper.Fuse.Loop;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Nbd.Server;

namespace Udm.Daemon;

/// <summary>Answers verbs that dmsetup does not have, and that no ioctl would do for.</summary>
/// <remarks>
/// <c>block ls</c> answers a line for each block device, separated by tabs: the mapped device's name, the block device's number
/// (<c>7:3</c>), its node (<c>/dev/loop3</c>). <c>block show NAME</c> answers that line for one device, or ENXIO; <c>block attach NAME</c> makes
/// the block device where there is none, and answers it too; <c>block of NODE</c> answers the line of a node. <c>major</c> answers the major
/// number of mapped devices; <c>holders M:N</c> the numbers of those whose tables use a device, a line each. <c>discard NAME START COUNT</c>, in
/// sectors, answers nothing when that is done.
/// </remarks>
internal sealed class Questions(DeviceRegistry registry, NbdServer nbd, LoopExport? blocks)
{
    /// <summary>Answers one.</summary>
    /// <exception cref="DmException">It cannot be answered.</exception>
    public string Answer(IReadOnlyList<string> words) => words switch
    {
        ["nbd", "ls"] => NbdConnections(),
        ["nbd", "disconnect", var which] => NbdDisconnect(which),
        ["major"] => registry.Major.ToString(CultureInfo.InvariantCulture),
        ["block", "ls"] => string.Concat(Blocks.Attachments.Select(Line)),
        ["block", "show", var name] => BlockShow(name),
        ["block", "of", var node] => Blocks.Attachments.FirstOrDefault(b => b.Node == node) is { } block ? Line(block) : "",
        ["block", "attach", var name] => Line(Blocks.Attach(Device(name))),
        ["block", "detach", var name] => BlockDetach(name),
        ["holders", var number] when DeviceNumber.TryParse(number, out DeviceNumber held) =>
            string.Concat(registry.HoldersOf(held).Select(holder => $"{holder.Number}\n")),
        ["discard", var name, var start, var count] when ulong.TryParse(start, out ulong at) && ulong.TryParse(count, out ulong sectors) =>
            Discard(Device(name), new Sector(at), new SectorCount(sectors)),
        _ => throw new DmException(Errno.EOPNOTSUPP, $"this daemon cannot answer '{string.Join(' ', words)}'"),
    };

    private LoopExport Blocks =>
        blocks ?? throw new DmException(Errno.EPERM, "this daemon has no block devices: they need root, /dev/fuse and loop devices");

    private MappedDevice Device(string name) =>
        registry.FindByName(name) ?? throw new DmException(Errno.ENXIO, $"there is no mapped device '{name}'");

    private static string Line(BlockAttachment block) => $"{block.Device.Name}\t{block.Number}\t{block.Node}\n";

    private string BlockShow(string name) =>
        Blocks.Attachments.FirstOrDefault(b => b.Device.Name == name) is { } block
            ? Line(block)
            : throw new DmException(Errno.ENXIO, $"'{name}' is no block device");

    private static string Discard(MappedDevice device, Sector at, SectorCount count)
    {
        BioStatus status = BlockingIo.Discard(device, at, count);
        return status == BioStatus.Ok ? "" : throw new DmException(status.ToErrno(), $"{device.Name}: the discard of {count} sectors at {at} ended with {status}");
    }

    private string BlockDetach(string name)
    {
        Blocks.Detach(Device(name));
        return "";
    }

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
