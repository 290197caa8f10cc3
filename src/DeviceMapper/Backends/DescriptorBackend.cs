using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>
/// What backends on a descriptor have in common, files and block devices: reads and writes, past the page cache where
/// that is wanted and the sectors are aligned for it, else through it; flushes; the size.
/// </summary>
/// <remarks>
/// I/O is done and ended on the caller's thread, but that of a thread that has plugged, and so has more to do: what would wait is done by an
/// io_uring (<see cref="RingIo"/>). Where there is none, a bio with NOWAIT ends with Again where it would wait. It is for front ends to
/// refuse writes to what is read-only: as in the kernel, a device that a table has open for reading takes the writes of a
/// writeable table on top of that table, and is opened for writing when the first one comes.
/// </remarks>
internal abstract class DescriptorBackend : Backend
{
    private readonly uint _memoryAlignment; // bytes, of the pieces of a bio's memory
    private readonly uint _offsetAlignment; // bytes
    private readonly Lazy<DescriptorBackend?>? _writer; // what writes to a device that is open for reading go to
    private readonly RingIo? _ring;
    private ulong _sectors; // as last seen
    private bool _lacksNoWait; // the file system (tmpfs) cannot tell what it has in memory: it is not asked again

    /// <summary>Takes the descriptors, which it closes.</summary>
    /// <param name="file">Through the page cache.</param>
    /// <param name="direct">Past it, or null.</param>
    /// <param name="memoryAlignment">What O_DIRECT wants of memory, in bytes; a power of two.</param>
    /// <param name="offsetAlignment">What O_DIRECT wants of offsets and lengths, in bytes; a power of two.</param>
    /// <param name="openWriter">Where the descriptors are for reading: opens the device for writing.</param>
    /// <param name="engine">Who waits for the disk.</param>
    protected DescriptorBackend(
        OpenFile file, OpenFile? direct, uint memoryAlignment, uint offsetAlignment, Func<DescriptorBackend>? openWriter, FileEngine engine)
    {
        File = file;
        Direct = direct;
        Engine = engine;
        _ring = engine == FileEngine.Threads ? null : new RingIo(this, always: engine == FileEngine.IoUring);
        _memoryAlignment = Math.Max(memoryAlignment, offsetAlignment);
        _offsetAlignment = offsetAlignment;
        _writer = openWriter is null ? null : new Lazy<DescriptorBackend?>(() => TryOpen(openWriter));
    }

    /// <summary>Whether aligned I/O goes past the page cache.</summary>
    public bool IsDirect => Direct is not null;

    /// <summary>Who waits for the disk.</summary>
    public FileEngine Engine { get; }

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
    internal OpenFile File { get; }

    /// <summary>The descriptor past it, or null.</summary>
    internal OpenFile? Direct { get; }

    /// <summary>What <see cref="Direct"/> wants of the pieces of a bio's memory, in bytes.</summary>
    internal int MemoryAlignment => (int)_memoryAlignment;

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (_writer is { IsValueCreated: true })
        {
            _writer.Value?.Dispose();
        }

        _ring?.Dispose();
        Direct?.Dispose();
        File.Dispose();
    }

    /// <summary>Whether the kernel has an io_uring for us; makes it.</summary>
    public bool TryStartRing() => _ring is not null && _ring.TryStart();

    /// <inheritdoc/>
    protected internal override void Process(Bio bio)
    {
        if (IsForRing(bio))
        {
            if (TryCached(bio, out BioStatus status))
            {
                bio.End(status);
                return;
            }

            if (_ring!.TryTake(bio))
            {
                return;
            }
        }

        bio.End(Do(bio));
    }

    /// <summary>Does a bio on this thread.</summary>
    internal BioStatus Do(Bio bio)
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

    /// <summary>Whether a bio goes past the page cache.</summary>
    internal bool IsDirectFor(Bio bio) =>
        Direct is not null && ((bio.Sector.Bytes | bio.Count.Bytes) & (_offsetAlignment - 1)) == 0;

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

    /// <summary>Whether a bio may wait, and is not to do so on this thread. Writes to the page cache do not wait as a rule, and are slow by a ring.</summary>
    private bool IsForRing(Bio bio)
    {
        if (_ring is null || !(Engine == FileEngine.IoUring || Plug.IsStarted))
        {
            return false;
        }

        return bio.Operation switch
        {
            BioOperation.Flush => true,
            BioOperation.Read => Holds(bio),
            BioOperation.Write => _writer is null && (Engine == FileEngine.IoUring || IsDirectFor(bio)) && Holds(bio),
            _ => false,
        };
    }

    /// <summary>Does a read at once, where what it reads is in the page cache.</summary>
    private bool TryCached(Bio bio, out BioStatus status)
    {
        status = BioStatus.Ok;
        if (Engine == FileEngine.IoUring || bio.Operation != BioOperation.Read || IsDirectFor(bio))
        {
            return false;
        }

        Errno error = _lacksNoWait ? Errno.EOPNOTSUPP : File.Read(bio.Buffer, bio.Sector.Bytes, LibC.RWF_NOWAIT);
        if (error == Errno.EOPNOTSUPP)
        {
            _lacksNoWait = true;
            status = Do(bio);
            return true;
        }

        status = Status(error);
        return error != Errno.EAGAIN;
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
        if (buffer.IsAligned(MemoryAlignment))
        {
            return Direct!.Read(buffer, offset);
        }

        Errno error = Errno.None;
        for (int done = 0; done < buffer.Length && error == Errno.None; done += BounceBuffer.Length)
        {
            int piece = Math.Min(buffer.Length - done, BounceBuffer.Length);
            BioBuffer bounce = BounceBuffer.Current.First(piece);
            error = Direct!.Read(bounce, offset + (ulong)done);
            buffer.Slice(done, piece).CopyFrom(bounce.Span);
        }

        return error;
    }

    private Errno WriteDirect(BioBuffer buffer, ulong offset, bool durable)
    {
        if (buffer.IsAligned(MemoryAlignment))
        {
            return Write(Direct!, buffer, offset, durable);
        }

        Errno error = Errno.None;
        for (int done = 0; done < buffer.Length && error == Errno.None; done += BounceBuffer.Length)
        {
            int piece = Math.Min(buffer.Length - done, BounceBuffer.Length);
            BioBuffer bounce = BounceBuffer.Current.First(piece);
            buffer.Slice(done, piece).CopyTo(bounce.Span);
            error = Write(Direct!, bounce, offset + (ulong)done, durable);
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

    private static BioStatus Status(Errno error) => error == Errno.None ? BioStatus.Ok : BioStatusErrno.FromErrno(error);

    // A file system that cannot promise not to wait says EOPNOTSUPP.
    private static BioStatus NoWaitStatus(Errno error) => error == Errno.EOPNOTSUPP ? BioStatus.Again : Status(error);
}
