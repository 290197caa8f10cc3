using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>
/// A block device of the kernel. I/O goes past the page cache, as the kernel's device mapper sends it.
/// </summary>
internal sealed class BlockDeviceBackend : DescriptorBackend
{
    private const uint DriversAlignment = 512; // what drivers ask for at most, whatever their block size

    private const int BusyRetries = 10;

    /// <summary>Takes the descriptors, which it closes.</summary>
    /// <param name="file">Through the page cache.</param>
    /// <param name="direct">Past it, or null.</param>
    /// <param name="limits">What <see cref="BlockDeviceLimits"/> read.</param>
    /// <param name="openWriter">Where the descriptors are for reading: opens the device for writing.</param>
    public BlockDeviceBackend(OpenFile file, OpenFile? direct, QueueLimits limits, Func<BlockDeviceBackend>? openWriter)
        : base(file, direct, DriversAlignment, limits.LogicalBlockSize, openWriter, FileEngine.Automatic) =>
        Limits = limits;

    /// <inheritdoc/>
    public override QueueLimits Limits { get; }

    /// <inheritdoc/>
    protected override SectorCount ReadSize()
    {
        ulong bytes = 0;
        return File.Ioctl(BlockIoctl.Size, ref bytes) == Errno.None ? SectorCount.FromBytes(bytes) : SectorCount.Zero;
    }

    /// <summary>
    /// Where others have written to the device through the page cache, the kernel says EBUSY, since it cannot drop what is
    /// dirty of a device that somebody has claimed: then that is written first.
    /// </summary>
    protected override Errno DoWithoutData(BioOperation operation, BioFlags flags, ulong offset, ulong length)
    {
        Errno error = TryWithoutData(operation, flags, offset, length);
        for (int i = 0; i < BusyRetries && error == Errno.EBUSY; i++)
        {
            error = File.Sync();
            error = error == Errno.None ? TryWithoutData(operation, flags, offset, length) : error;
        }

        return error;
    }

    private Errno TryWithoutData(BioOperation operation, BioFlags flags, ulong offset, ulong length)
    {
        switch (operation)
        {
            case BioOperation.Discard:
                return File.IoctlRange(BlockIoctl.Discard, offset, length);
            case BioOperation.SecureErase:
                return File.IoctlRange(BlockIoctl.SecureDiscard, offset, length);
            default:
                // The first may unmap, and fails where the device has no zeroing of its own; the second always zeroes.
                Errno error = (flags & BioFlags.NoUnmap) != 0
                    ? Errno.EOPNOTSUPP
                    : File.Allocate(LibC.FALLOC_FL_PUNCH_HOLE | LibC.FALLOC_FL_KEEP_SIZE, offset, length);
                return error == Errno.EOPNOTSUPP ? File.IoctlRange(BlockIoctl.ZeroOut, offset, length) : error;
        }
    }
}
