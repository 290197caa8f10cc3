using System.Text;
using DeviceMapper;
using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using DeviceMapper.Native;
using Udm.Daemon;
using Udm.Native;

namespace Udm.Run;

/// <summary>The loop device that a mapped device has as its block device.</summary>
/// <param name="Name">The mapped device's name.</param>
/// <param name="Number">The loop device's number.</param>
/// <param name="Node">Its node.</param>
internal readonly record struct LoopBlock(string Name, DeviceNumber Number, string Node);

/// <summary>What the daemon tells of its devices.</summary>
internal sealed class MappedDevices(RunFolder folder, ControlClients clients)
{
    /// <summary>The major of mapped devices: the daemon has one for all.</summary>
    public uint Major { get; } = uint.Parse(clients.Use(client => client.Ask("major")));

    /// <summary>Finds by name.</summary>
    public SeenFile.Device? Named(string name) => IsName(name) ? Find(Status(new DmIoctl(DmIoctl.HeaderSize) { Name = name })) : null;

    /// <summary>Finds by name a device that has its node in /dev/mapper: libdm makes that at the first resume.</summary>
    public SeenFile.Device? WithNode(string name) =>
        IsName(name) && Status(new DmIoctl(DmIoctl.HeaderSize) { Name = name }) is { } status && status.Has(DmFlags.ActivePresent) ? Find(status) : null;

    /// <summary>Finds by minor.</summary>
    public SeenFile.Device? Numbered(uint minor) => minor > DeviceNumber.MaxMinor ? null : Find(Status(new DmIoctl(DmIoctl.HeaderSize) { Device = new DeviceNumber(Major, minor) }));

    /// <summary>The state of a device; null where it is not there.</summary>
    public DmIoctl? Status(DmIoctl question)
    {
        question.Flags |= DmFlags.TellReadAhead;
        try
        {
            return clients.Use(client => client.Call(DmCommand.DevStatus, question)).Ioctl;
        }
        catch (DmException)
        {
            return null;
        }
    }

    /// <summary>Sets what is told as a device's read-ahead, in sectors; whole pages of it are kept, as in the kernel.</summary>
    public void SetReadAhead(SeenFile.Device device, ulong sectors) => Status(
        new DmIoctl(DmIoctl.HeaderSize) { Device = device.Number, Flags = DmFlags.SetReadAhead, ReadAhead = (uint)Math.Min(sectors, uint.MaxValue - 1) });

    /// <summary>Discards bytes of the device that a file shows. A hole punched into the file would have to read as zeroes, which a discard does not promise.</summary>
    public Errno Discard(string file, long start, long length)
    {
        try
        {
            clients.Use(client => client.Ask("discard", file[(folder.Mapper.Length + 1)..], $"{start / Sector.Size}", $"{length / Sector.Size}"));
            return Errno.None;
        }
        catch (DmException refusal)
        {
            return refusal.Errno;
        }
    }

    /// <summary>All devices.</summary>
    public IReadOnlyList<ListedDevice> All() => clients.Use(client => NameList.Read(client.Call(DmCommand.ListDevices, new DmIoctl()).Ioctl));

    /// <summary>The numbers of the devices that a device's tables use.</summary>
    public IEnumerable<DeviceNumber> Dependencies(SeenFile.Device device) => clients.Use(client =>
        TargetDependencies.Read(client.Call(DmCommand.TableDeps, new DmIoctl { Name = device.Name }).Ioctl)).Select(d => d.Number);

    /// <summary>The numbers of the mapped devices whose tables use a device.</summary>
    public IEnumerable<DeviceNumber> Holders(DeviceNumber number) => Lines("holders", number.ToString()).Select(Number);

    /// <summary>Whether any mapped device has a block device: without asking the daemon, since that costs little.</summary>
    public bool HasBlocks => FileCalls.IsThere(folder.Block);

    /// <summary>The block devices that mapped devices have.</summary>
    public IReadOnlyList<LoopBlock> Blocks() => [.. Lines("block", "ls").Select(Block)];

    /// <summary>The block device that a mapped device has, if it has one.</summary>
    public LoopBlock? BlockOf(SeenFile.Device device) => Lines("block", "show", device.Name).Select(Block).Cast<LoopBlock?>().FirstOrDefault();

    /// <summary>The mapped device that a loop device is the block device of.</summary>
    public SeenFile.Device? OfLoop(string node) => Lines("block", "of", node).Select(line => Named(Block(line).Name)).FirstOrDefault();

    /// <summary>The path of a device as a file.</summary>
    public string FileOf(SeenFile.Device device) => Path.Combine(folder.Mapper, device.Name);

    /// <summary>The device that a file shows; null where the path is none of a device's file.</summary>
    public SeenFile.Device? OfFile(string path) => IsDeviceFile(path) ? Named(path[(folder.Mapper.Length + 1)..]) : null;

    /// <summary>Whether a path is that of a device's file, which knows nothing of block devices' ioctls.</summary>
    public bool IsDeviceFile(string path) => path.StartsWith(folder.Mapper + "/", StringComparison.Ordinal);

    private static bool IsName(string name) => name.Length > 0 && !name.Contains('/') && Encoding.UTF8.GetByteCount(name) <= DmIoctl.MaxNameLength;

    private static SeenFile.Device? Find(DmIoctl? status) => status is null ? null : new SeenFile.Device(status.Name, status.Device);

    private static LoopBlock Block(string line)
    {
        string[] words = line.Split('\t');
        return new LoopBlock(words[0], Number(words[1]), words[2]);
    }

    private static DeviceNumber Number(string text) =>
        DeviceNumber.TryParse(text, out DeviceNumber number) ? number : throw new DmException(Errno.EPROTO, $"the daemon told of a device '{text}'");

    /// <summary>The lines of an answer; none where the daemon has no such thing.</summary>
    private string[] Lines(params string[] question)
    {
        try
        {
            return clients.Use(client => client.Ask(question)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (DmException e) when (e.Errno is Errno.ENXIO or Errno.EPERM or Errno.EOPNOTSUPP or Errno.ECONNRESET)
        {
            return [];
        }
    }
}
