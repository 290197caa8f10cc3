using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>A block device of the kernel, by its number and, where it was named so, its path.</summary>
/// <remarks>
/// The claim is a descriptor opened with O_EXCL, so mounts, swap, md and the kernel's device mapper keep off; each table device has
/// descriptors of its own. A read-only disk can be opened in a writeable table, as in the kernel; its writes fail.
/// </remarks>
internal sealed class BlockDeviceSpec(DeviceNumber number, string? path) : DeviceSpec
{
    /// <inheritdoc/>
    public override DeviceIdentity Identity => new("block", Name);

    /// <inheritdoc/>
    public override string Name => number.ToString();

    /// <inheritdoc/>
    public override DeviceNumber? Number => number;

    /// <inheritdoc/>
    internal override string? OpenPath => FindNode();

    /// <inheritdoc/>
    public override IDisposable Claim(CancellationToken cancellation)
    {
        string node = FindNode();
        Errno error = OpenFile.TryOpen(node, LibC.O_RDONLY | LibC.O_EXCL, out OpenFile? claim);
        return error switch
        {
            Errno.None => claim!,
            Errno.EBUSY => throw new DmException(error, $"'{path ?? Name}' is {DeviceUsers.OfBlockDevice(number)}"),
            _ => throw OpenErrors.Refusal(error, path ?? Name),
        };
    }

    /// <inheritdoc/>
    public override Backend Open(DeviceMode mode, CancellationToken cancellation) => Open(mode);

    private BlockDeviceBackend Open(DeviceMode mode)
    {
        string node = FindNode();
        int flags = mode == DeviceMode.ReadOnly ? LibC.O_RDONLY : LibC.O_RDWR;
        Errno error = OpenFile.TryOpen(node, flags, out OpenFile? file);
        if (error is Errno.EACCES or Errno.EROFS && mode == DeviceMode.ReadWrite && TryOpenReadOnlyDisk(node, out file))
        {
            (error, flags) = (Errno.None, LibC.O_RDONLY);
        }

        if (error != Errno.None)
        {
            throw OpenErrors.Refusal(error, path ?? Name);
        }

        // Where it cannot be opened so, I/O goes through the page cache.
        _ = OpenFile.TryOpen(node, flags | LibC.O_DIRECT, out OpenFile? direct);
        Func<BlockDeviceBackend>? openWriter = mode == DeviceMode.ReadOnly ? () => Open(DeviceMode.ReadWrite) : null;
        return new BlockDeviceBackend(file!, direct, BlockDeviceLimits.Read(file!, number), openWriter);
    }

    private string FindNode() =>
        path is not null && BlockDeviceNodes.IsNode(path, number) ? path
        : BlockDeviceNodes.Find(number) ?? throw new DmException(
            Errno.ENXIO,
            Directory.Exists($"/sys/dev/block/{number}") ? $"the block device {number} has no node in /dev" : $"there is no block device {number}");

    /// <summary>Opens a disk for reading, if it is the disk that refuses to be written and not the permission that is missing.</summary>
    private static bool TryOpenReadOnlyDisk(string node, out OpenFile? file)
    {
        int readOnly = 0;
        if (OpenFile.TryOpen(node, LibC.O_RDONLY, out file) == Errno.None
            && file!.Ioctl(BlockIoctl.ReadOnly, ref readOnly) == Errno.None
            && readOnly != 0)
        {
            return true;
        }

        file?.Dispose();
        return false;
    }
}
