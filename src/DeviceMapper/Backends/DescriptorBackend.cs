using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>
/// What backends on a descriptor have in common, files and block devices: reads and writes, past the page cache where
/// that is wanted and the sectors are aligned for it, else through it; flushes; the size.
/// </summary>
/// <remarks>
/// All I/O is done and ended on the caller's thread. A bio with NOWAIT ends with Again where that would wait. It is for front ends to
/// refuse writes to what is read-only: as in the kernel, a device that a table has open for reading takes the writes of a
/// writeable table on top of that table, and is opened for writing when the first one comes.
/// </remarks>
internal abstract class DescriptorBackend : Backend
{
    private readonly OpenFile? _direct;
    private readonly uint _memoryAlignment; // bytes, of the pieces of a bio's memory
    private readonly uint _offsetAlignment; // bytes
    private readonly Lazy<DescriptorBackend?>? _writer; // what writes to a device that is open for reading go to
    private ulong _sectors; // as last seen

    /// <summary>Takes the descriptors, which it closes.</summary>
    /// <param name="file">Through the page cache.</param>
    /// <param name="direct">Past it, or null.</param>
    /// <param name="memoryAlignment">What O_DIRECT wants of memory, in bytes; a power of two.</param>
    /// <param name="offsetAlignment">What O_DIRECT wants of offsets and lengths, in bytes; a power of two.</param>
    /// <param name="openWriter">Where the descriptors are for reading: opens the device for writing.</param>
    protected DescriptorBackend(OpenFile file, OpenFile? direct, uint memoryAlignment, uint offsetAlignment, Func<DescriptorBackend>? openWriter)
    {
        File = file;
        _direct = direct;
        _memoryAlignment = Math.Max(memoryAlignment, offsetAlignment);
        _offsetAlignment = offsetAlignment;
        _writer = openWriter is null ? null : new Lazy<DescriptorBackend?>(() => TryOpen(openWriter));
    }

    /// <summary>Whether aligned I/O goes past the page cache.</summary>
    public bool IsDirect => _direct is not null;

    /// <summary>Asked anew each time: a file may be truncated, a disk may grow.</summary>
    public override SectorCount Size
    {
        get
        {
            ulong sectors = ReadSize().Value;
            Volatile.Write(ref _sectors, sectors);
            return new SectorCount(sectors);
        }
    }

    /// <summary>The descriptor through the page cache.</summary>
    protected OpenFile File { get; }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (_writer is { IsValueCreated: true })
        {
            _writer.Value?.Dispose();
        }

        _direct?.Dispose();
        File.Dispose();
    }

    /// <inheritdoc/>
    protected internal override void Process(Bio bio) => bio.End(Do(bio));

    /// <summary>The present size; zero where it cannot be told.</summary>
    protected abstract SectorCount ReadSize();

    /// <summary>Does a discard, a secure erase or a write of zeroes, which lies within the size.</summary>
    protected abstract Errno DoWithoutData(BioOperation operation, BioFlags flags, ulong offset, ulong length);

    /// <summary>Writes zeroes the long way.</summary>
    protected Errno WriteZeroes(ulong offset, ulong length)
    {
        while (length > 0)
        {
            int piece = (int)Math.Min(length, ZeroMemory.Length);
            Errno error = File.Write(new BioBuffer(ZeroMemory.Address, piece), offset);
            if (error != Errno.None)
            {
                return error;
            }

            offset += (ulong)piece;
            length -= (ulong)piece;
        }

        return Errno.None;
    }

    private BioStatus Do(Bio bio)
    {
        if (bio.Operation == BioOperation.Flush)
        {
            return Status(File.Sync());
        }

        if (!Holds(bio))
        {
            return BioStatus.IoError; // the kernel's bio_check_eod
        }

        if (bio.IsWrite && _writer is not null)
        {
            return _writer.Value?.Do(bio) ?? BioStatus.ReadOnly;
        }

        return bio.Operation switch
        {
            BioOperation.Read => Read(bio),
            BioOperation.Write => Write(bio),
            _ => WithoutData(bio),
        };
    }

    private static DescriptorBackend? TryOpen(Func<DescriptorBackend> open)
    {
        try
        {
            return open();
        }
        catch (DmException)
        {
            return null; // this user may only read it
        }
    }

    private bool Holds(Bio bio)
    {
        ulong sectors = Volatile.Read(ref _sectors);
        return IsWithin(bio, sectors) || IsWithin(bio, Size.Value);
    }

    private static bool IsWithin(Bio bio, ulong sectors) =>
        bio.Sector.Value <= sectors && bio.Count.Value <= sectors - bio.Sector.Value;

    private BioStatus Read(Bio bio)
    {
        bool noWait = (bio.Flags & BioFlags.NoWait) != 0;
        if (IsDirectFor(bio))
        {
            Errno error = noWait ? Errno.EAGAIN : ReadDirect(bio.Buffer, bio.Sector.Bytes);
            if (error != Errno.EINVAL)
            {
                return Status(error);
            }
        }

        return noWait
            ? NoWaitStatus(File.Read(bio.Buffer, bio.Sector.Bytes, LibC.RWF_NOWAIT))
            : Status(File.Read(bio.Buffer, bio.Sector.Bytes));
    }

    private BioStatus Write(Bio bio)
    {
        bool noWait = (bio.Flags & BioFlags.NoWait) != 0;
        bool durable = (bio.Flags & BioFlags.Fua) != 0;
        if (noWait && durable)
        {
            return BioStatus.Again;
        }

        if (IsDirectFor(bio))
        {
            Errno error = noWait ? Errno.EAGAIN : WriteDirect(bio.Buffer, bio.Sector.Bytes, durable);
            if (error != Errno.EINVAL)
            {
                return Status(error);
            }
        }

        return noWait
            ? NoWaitStatus(File.Write(bio.Buffer, bio.Sector.Bytes, LibC.RWF_NOWAIT))
            : Status(Write(File, bio.Buffer, bio.Sector.Bytes, durable));
    }

    private Errno ReadDirect(BioBuffer buffer, ulong offset)
    {
        if (buffer.IsAligned((int)_memoryAlignment))
        {
            return _direct!.Read(buffer, offset);
        }

        Errno error = Errno.None;
        for (int done = 0; done < buffer.Length && error == Errno.None; done += BounceBuffer.Length)
        {
            int piece = Math.Min(buffer.Length - done, BounceBuffer.Length);
            BioBuffer bounce = BounceBuffer.Current.First(piece);
            error = _direct!.Read(bounce, offset + (ulong)done);
            buffer.Slice(done, piece).CopyFrom(bounce.Span);
        }

        return error;
    }

    private Errno WriteDirect(BioBuffer buffer, ulong offset, bool durable)
    {
        if (buffer.IsAligned((int)_memoryAlignment))
        {
            return Write(_direct!, buffer, offset, durable);
        }

        Errno error = Errno.None;
        for (int done = 0; done < buffer.Length && error == Errno.None; done += BounceBuffer.Length)
        {
            int piece = Math.Min(buffer.Length - done, BounceBuffer.Length);
            BioBuffer bounce = BounceBuffer.Current.First(piece);
            buffer.Slice(done, piece).CopyTo(bounce.Span);
            error = Write(_direct!, bounce, offset + (ulong)done, durable);
        }

        return error;
    }

    private static Errno Write(OpenFile file, BioBuffer buffer, ulong offset, bool durable)
    {
        if (!durable)
        {
            return file.Write(buffer, offset);
        }

        Errno error = file.Write(buffer, offset, LibC.RWF_DSYNC);
        if (error != Errno.EOPNOTSUPP)
        {
            return error;
        }

        error = file.Write(buffer, offset);
        return error == Errno.None ? file.Sync() : error;
    }

    private BioStatus WithoutData(Bio bio)
    {
        if ((bio.Flags & BioFlags.NoWait) != 0)
        {
            return BioStatus.Again;
        }

        Errno error = DoWithoutData(bio.Operation, bio.Flags, bio.Sector.Bytes, bio.Count.Bytes);
        if (error == Errno.None && (bio.Flags & BioFlags.Fua) != 0)
        {
            error = File.Sync();
        }

        return Status(error);
    }

    private bool IsDirectFor(Bio bio) =>
        _direct is not null && ((bio.Sector.Bytes | bio.Count.Bytes) & (_offsetAlignment - 1)) == 0;

    private static BioStatus Status(Errno error) => error == Errno.None ? BioStatus.Ok : BioStatusErrno.FromErrno(error);

    // A file system that cannot promise not to wait says EOPNOTSUPP.
    private static BioStatus NoWaitStatus(Errno error) => error == Errno.EOPNOTSUPP ? BioStatus.Again : Status(error);
}
