using DeviceMapper.Io;

namespace DeviceMapper.Targets.Integrity;

/// <summary>
/// The bitmap that mode B has in the journal's place: a set bit says that tags of its sectors may be wrong after a crash. Beside it, which sectors may be
/// written because their bit is on the device, and which have to be recalculated (the kernel's <c>block_bitmap_op</c>). Changed by
/// the target's thread alone; <see cref="Clear"/> while it has all sectors taken.
/// </summary>
internal sealed class DirtyBitmap
{
    private const int PageSize = 4096; // what is written at once

    private readonly IntegrityDevice _device;
    private readonly JournalMemory _memory;
    private readonly byte[] _writable;
    private readonly byte[] _recalculated; // set: not yet
    private readonly int _size;

    public DirtyBitmap(IntegrityDevice device, JournalMemory memory)
    {
        _device = device;
        _memory = memory;
        _size = device.Superblock.BitmapSize;
        _writable = new byte[_size];
        _recalculated = new byte[_size];
    }

    private Span<byte> Bits => _memory.Start(_size);

    private ulong Provided => _device.Superblock.ProvidedSectors;

    /// <summary>Starts with no bit set but those of what is still to be recalculated.</summary>
    public void Begin()
    {
        Set(Bits, 0, Provided, false);
        ulong from = _device.Superblock.RecalculatedSectors;
        if (_device.Superblock.Has(IntegrityFlags.Recalculating) && from < Provided)
        {
            Set(Bits, from, Provided - from, true);
            Set(_writable, from, Provided - from, true);
            Set(_recalculated, from, Provided - from, true);
        }

        Write();
    }

    /// <summary>Goes on with what a crash left: its bits are to be recalculated.</summary>
    /// <returns>Whether there are any.</returns>
    public bool Take()
    {
        Read();
        Bits.CopyTo(_writable);
        Bits.CopyTo(_recalculated);
        return !AreClear(Bits, 0, Provided);
    }

    /// <summary>Sets all bits, where those on the device are of another size.</summary>
    public void SetAll()
    {
        Set(Bits, 0, Provided, true);
        Set(_writable, 0, Provided, true);
        Set(_recalculated, 0, Provided, true);
        Write();
    }

    /// <summary>Reads the bits; whether one is set on the device.</summary>
    public bool ReadAny()
    {
        Read();
        return !AreClear(Bits, 0, Provided);
    }

    /// <summary>Sets the bits of sectors that the device did not have before.</summary>
    public void SetNew(ulong from)
    {
        Read();
        Set(Bits, from, Provided - from, true);
        Write();
    }

    /// <summary>Whether the bits of sectors are on the device, so that these may be written. For any thread that has them taken.</summary>
    public bool IsWritable(ulong sector, ulong count) => AreSet(_writable, sector, count);

    /// <summary>Sees that the bits of sectors are on the device before these are written.</summary>
    /// <returns>Whether some had to be set.</returns>
    public bool Prepare(ulong sector, ulong count)
    {
        if (IsWritable(sector, count))
        {
            return false;
        }

        Set(Bits, sector, count, true);
        int first = (int)(BitOf(sector) / 8) / PageSize * PageSize;
        int last = (int)(BitOf(sector + count - 1) / 8) / PageSize * PageSize;
        _device.FailUnlessOk("writing the bitmap", _memory.WriteStart(first, last - first + PageSize));
        Set(_writable, sector, count, true);
        return true;
    }

    /// <summary>Makes data and tags durable, and clears the bits of what has been recalculated.</summary>
    public void Clear()
    {
        _device.Flush();
        int shift = _device.Superblock.Log2SectorsPerBit;
        ulong limit = _device.Superblock.Has(IntegrityFlags.Recalculating) ? _device.Superblock.RecalculatedSectors >> shift << shift : Provided;
        Set(Bits, 0, limit, false);
        Set(_writable, 0, limit, false);
        Write();
    }

    /// <summary>Whether the tags of sectors are not known to be right. For any thread that has them taken.</summary>
    public bool IsDoubtful(ulong sector, ulong count) => !AreClear(_recalculated, sector, count);

    /// <summary>
    /// The first sectors of a run that are alike. Only the tags of doubtful ones are made again; the kernel takes those between for them too, and
    /// whatever is there then for good.
    /// </summary>
    /// <param name="sector">Of the first block.</param>
    /// <param name="count">How many; then, how many of them are alike.</param>
    /// <returns>Whether their tags are not known to be right.</returns>
    public bool NextRun(ulong sector, ref ulong count)
    {
        ulong block = 1ul << _device.Superblock.Log2Block;
        bool doubtful = IsDoubtful(sector, block);
        ulong alike = block;
        while (alike < count && IsDoubtful(sector + alike, block) == doubtful)
        {
            alike += block;
        }

        count = alike;
        return doubtful;
    }

    /// <summary>The tags of the bits that lie wholly in a run of sectors have been made.</summary>
    public void SetRecalculated(ulong sector, ulong count)
    {
        int shift = _device.Superblock.Log2SectorsPerBit;
        ulong start = sector >> shift << shift;
        ulong end = (sector + count) >> shift << shift;
        Set(_recalculated, start, end - start, false);
    }

    /// <summary>All tags have been made.</summary>
    public void SetAllRecalculated() => Set(_recalculated, 0, Provided, false);

    private void Read() => _device.FailUnlessOk("reading the bitmap", _memory.ReadStart(_size));

    private void Write()
    {
        for (int at = 0; at < _size && _device.Failure == BioStatus.Ok; at += BufferPool.MaxLength)
        {
            _device.FailUnlessOk("writing the bitmap", _memory.WriteStart(at, Math.Min(BufferPool.MaxLength, _size - at)));
        }
    }

    private ulong BitOf(ulong sector) => sector >> _device.Superblock.Log2SectorsPerBit;

    private void Set(Span<byte> bits, ulong sector, ulong count, bool value)
    {
        if (count == 0)
        {
            return;
        }

        ulong last = BitOf(sector + count - 1);
        for (ulong bit = BitOf(sector); bit <= last; bit++)
        {
            if (bit % 8 == 0 && last - bit >= 7)
            {
                int whole = (int)((last + 1 - bit) / 8);
                bits.Slice((int)(bit / 8), whole).Fill(value ? byte.MaxValue : (byte)0);
                bit += ((ulong)whole * 8) - 1;
                continue;
            }

            byte mask = (byte)(1 << (int)(bit % 8));
            ref byte b = ref bits[(int)(bit / 8)];
            b = (byte)(value ? b | mask : b & ~mask);
        }
    }

    private bool AreSet(ReadOnlySpan<byte> bits, ulong sector, ulong count)
    {
        for (ulong bit = BitOf(sector); bit <= BitOf(sector + count - 1); bit++)
        {
            if ((bits[(int)(bit / 8)] & (1 << (int)(bit % 8))) == 0)
            {
                return false;
            }
        }

        return true;
    }

    private bool AreClear(ReadOnlySpan<byte> bits, ulong sector, ulong count)
    {
        ulong last = BitOf(sector + count - 1);
        for (ulong bit = BitOf(sector); bit <= last; bit++)
        {
            byte b = bits[(int)(bit / 8)];
            if (bit % 8 == 0 && last - bit >= 7 && b == 0)
            {
                bit += 7;
            }
            else if ((b & (1 << (int)(bit % 8))) != 0)
            {
                return false;
            }
        }

        return true;
    }
}
