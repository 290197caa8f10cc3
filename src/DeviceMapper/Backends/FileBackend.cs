using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>
/// A regular file as a device. Discards punch holes; what was never written, discarded or zeroed takes no room on the file system.
/// </summary>
/// <remarks>
/// A flush and a FUA write are as durable as the file system makes them (fdatasync, RWF_DSYNC). A size that is no
/// multiple of 512 is rounded down.
/// </remarks>
internal sealed class FileBackend : DescriptorBackend
{
    private const int PunchHole = LibC.FALLOC_FL_PUNCH_HOLE | LibC.FALLOC_FL_KEEP_SIZE;
    private const int ZeroRange = LibC.FALLOC_FL_ZERO_RANGE | LibC.FALLOC_FL_KEEP_SIZE;

    private static readonly SectorCount _unlimited = new(uint.MaxValue);

    /// <summary>Takes the descriptors, which it closes.</summary>
    /// <param name="file">Through the page cache.</param>
    /// <param name="direct">Past it, or null.</param>
    /// <param name="status">What the file is.</param>
    /// <param name="openWriter">Where the descriptors are for reading: opens the file for writing.</param>
    /// <param name="engine">Who waits for the disk.</param>
    public FileBackend(OpenFile file, OpenFile? direct, FileStatus status, Func<FileBackend>? openWriter, FileEngine engine)
        : base(
            file,
            direct,
            memoryAlignment: status.DirectMemoryAlignment == 0 ? status.BlockSize : status.DirectMemoryAlignment,
            offsetAlignment: status.DirectOffsetAlignment == 0 ? status.BlockSize : status.DirectOffsetAlignment,
            openWriter,
            engine)
    {
        bool holes = openWriter is not null || CanPunchHoles(file, status);
        Limits = new QueueLimits
        {
            MaxDiscard = holes ? _unlimited : SectorCount.Zero,
            DiscardGranularity = holes ? status.BlockSize : 0,
            MaxWriteZeroes = _unlimited,
            WriteCache = true,
            Fua = true,
        };
    }

    /// <inheritdoc/>
    public override QueueLimits Limits { get; }

    /// <inheritdoc/>
    public override (SectorCount Length, bool Hole) ExtentAt(Sector start, SectorCount length)
    {
        Errno error = File.Seek(start.Bytes, LibC.SEEK_DATA, out ulong data);
        if (error == Errno.ENXIO)
        {
            return (length, true); // no data up to the end
        }

        SectorCount hole = SectorCount.FromBytes(data - Math.Min(data, start.Bytes));
        if (error == Errno.None && hole != SectorCount.Zero)
        {
            return (SectorCount.Min(hole, length), true);
        }

        if (error != Errno.None || File.Seek(data, LibC.SEEK_HOLE, out ulong end) != Errno.None)
        {
            return (length, false); // the file system does not tell
        }

        SectorCount extent = SectorCount.FromBytes(end - start.Bytes + Sector.Size - 1); // a sector with any data is data
        return (SectorCount.Min(extent, length), false);
    }

    /// <inheritdoc/>
    protected override SectorCount ReadSize() =>
        File.TryGetStatus(out FileStatus status) == Errno.None ? SectorCount.FromBytes(status.Size) : SectorCount.Zero;

    /// <inheritdoc/>
    protected override Errno DoWithoutData(BioOperation operation, BioFlags flags, ulong offset, ulong length)
    {
        switch (operation)
        {
            case BioOperation.Discard:
                return File.Allocate(PunchHole, offset, length);
            case BioOperation.WriteZeroes:
                Errno error = (flags & BioFlags.NoUnmap) != 0 ? Errno.EOPNOTSUPP : File.Allocate(PunchHole, offset, length);
                error = error == Errno.EOPNOTSUPP ? File.Allocate(ZeroRange, offset, length) : error;
                return error == Errno.EOPNOTSUPP ? WriteZeroes(offset, length) : error;
            default:
                return Errno.EOPNOTSUPP;
        }
    }

    /// <summary>Tries it where there is nothing, far beyond the end.</summary>
    private static bool CanPunchHoles(OpenFile file, FileStatus status)
    {
        ulong beyond = (status.Size + (1ul << 30)) & ~0xffffful;
        return file.Allocate(PunchHole, beyond, Math.Max(status.BlockSize, 4096)) != Errno.EOPNOTSUPP;
    }
}
