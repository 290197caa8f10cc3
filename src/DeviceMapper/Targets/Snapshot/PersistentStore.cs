using System.Buffers.Binary;
using System.Runtime.InteropServices;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Snapshots;

/// <summary>
/// The store that survives: the kernel's format on the COW device (drivers/md/dm-snap-persistent.c).
/// </summary>
/// <remarks>
/// All numbers are little-endian. Chunk 0 is the header: magic <c>SnAp</c>, valid, version 1, chunk size in sectors, 32 bits each. Then areas
/// follow, each a chunk of exceptions and the chunks that they name. An exception is 16 bytes: old chunk and new chunk; a new chunk of 0
/// ends the list. An area that becomes full is written after the next one has been zeroed, so that a list always ends.
/// </remarks>
internal sealed partial class PersistentStore : ExceptionStore
{
    private const uint Magic = 0x70416e53;
    private const uint Version = 1;
    private const int ExceptionLength = 16;
    private const ulong HeaderChunks = 1;
    private const int HeaderLength = 16;

    private Chunk? _area; // the exceptions of the current area, as on the device
    private Chunk? _zeroes;
    private ulong _currentArea;
    private int _committed; // exceptions in the current area
    private int _perArea;
    private ulong _nextFree = HeaderChunks + 1;
    private volatile bool _valid = true;

    /// <inheritdoc/>
    public override string Word => Overflows ? "PO" : "P";

    /// <inheritdoc/>
    public override bool CanMerge => true;

    /// <inheritdoc/>
    public override bool IsValid => _valid;

    /// <inheritdoc/>
    public override (ulong Allocated, ulong Total, ulong Metadata) Usage
    {
        get
        {
            lock (_order)
            {
                return (_nextFree * ChunkSize, Cow.Size.Value, (_currentArea + 1 + HeaderChunks) * ChunkSize);
            }
        }
    }

    private int AreaLength => checked((int)(ChunkSize * Sector.Size));

    private Span<byte> Area => _area!.Buffer.Span;

    /// <inheritdoc/>
    public override void Load(uint largestBlock, ExceptionTable complete)
    {
        uint cowBlock = Cow.Limits.LogicalBlockSize / Sector.Size;
        if (ChunkSize == 0)
        {
            ChunkSize = Math.Max(DefaultChunkSize, cowBlock);
        }

        if (ReadHeader(largestBlock))
        {
            Allocate();
            ReadExceptions(complete);
            return;
        }

        if (!_valid)
        {
            return;
        }

        Allocate();
        using (Chunk header = NewHeader(valid: true))
        {
            ThrowUnlessOk(BlockingIo.Write(Cow, default, header.Buffer), "the header cannot be written");
        }

        ThrowUnlessOk(BlockingIo.Write(Cow, AreaSector(0), _zeroes!.Buffer), "the first area cannot be written");
    }

    /// <inheritdoc/>
    public override bool TryPrepare(PendingException exception)
    {
        lock (_order)
        {
            if (Cow.Size.Value < (_nextFree + 1) * ChunkSize)
            {
                return false;
            }

            exception.NewChunk = _nextFree++;
            SkipMetadata();
            exception.Sequence = _sequence++;
            _pending++;
            return true;
        }
    }

    /// <inheritdoc/>
    public override (ulong LastOld, ulong LastNew, int Count) PrepareMerge()
    {
        if (_committed == 0)
        {
            if (_currentArea == 0)
            {
                return default;
            }

            _currentArea--;
            ThrowUnlessOk(ReadArea(_currentArea), "its metadata cannot be read");
            _committed = _perArea;
        }

        (ulong lastOld, ulong lastNew) = Exception(_committed - 1);
        int count = 1;
        while (count < _committed && Exception(_committed - 1 - count) == (lastOld - (ulong)count, lastNew - (ulong)count))
        {
            count++;
        }

        return (lastOld, lastNew, count);
    }

    /// <inheritdoc/>
    public override bool CommitMerge(int count)
    {
        Area.Slice((_committed - count) * ExceptionLength, count * ExceptionLength).Clear();
        if (BlockingIo.Flush(Cow) != BioStatus.Ok
            || BlockingIo.Write(Cow, AreaSector(_currentArea), _area!.Buffer, BioFlags.Fua) != BioStatus.Ok)
        {
            return false;
        }

        lock (_order)
        {
            _committed -= count;
            _nextFree = AreaChunk(_currentArea) + (ulong)_committed + 1;
        }

        return true;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _area?.Dispose();
        _zeroes?.Dispose();
    }

    /// <summary>Reads the header; the chunk size in it overrides that of the table.</summary>
    /// <returns>Whether there are exceptions to be read: it is neither new nor invalid.</returns>
    private bool ReadHeader(uint largestBlock)
    {
        Span<byte> header = ReadFirstChunk();
        uint magic = BinaryPrimitives.ReadUInt32LittleEndian(header);
        if (magic == 0)
        {
            return false;
        }

        if (magic != Magic)
        {
            throw new DmException(Errno.ENXIO, "the COW device holds something else, or a damaged snapshot: clear its first 4 KiB to use it");
        }

        uint size = BinaryPrimitives.ReadUInt32LittleEndian(header[12..]);
        if (size != ChunkSize && RefusalOf(size, largestBlock) is { } refusal)
        {
            throw new DmException(Errno.EINVAL, $"the chunk size on the COW device, {size}, {refusal}");
        }

        ChunkSize = size;
        ThrowUnlessOk(Cow.Size.Value < size ? BioStatus.IoError : BioStatus.Ok, "it is smaller than a chunk of its header's size");
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(header[8..]);
        if (version != Version)
        {
            throw new DmException(Errno.EINVAL, $"the COW device has version {version} of the format: only {Version} is known");
        }

        _valid = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]) != 0;
        if (!_valid)
        {
            Allocate();
        }

        return _valid;
    }

    /// <summary>Reads the first bytes of the chunk that the kernel reads whole: a device that has no whole chunk cannot be read.</summary>
    private byte[] ReadFirstChunk()
    {
        int length = Math.Min(AreaLength, BufferPool.Alignment);
        BufferSegment buffer = BufferPool.Rent(length);
        try
        {
            BioStatus status = Cow.Size.Value < ChunkSize ? BioStatus.IoError : BlockingIo.Read(Cow, default, new BioBuffer(buffer.Address, length));
            ThrowUnlessOk(status, "its header cannot be read");
            return buffer.Span[..HeaderLength].ToArray();
        }
        finally
        {
            BufferPool.Return(buffer);
        }
    }

    private void ReadExceptions(ExceptionTable complete)
    {
        for (_currentArea = 0; ; _currentArea++)
        {
            ThrowUnlessOk(ReadArea(_currentArea), "its metadata cannot be read");
            for (_committed = 0; _committed < _perArea; _committed++)
            {
                (ulong oldChunk, ulong newChunk) = Exception(_committed);
                if (newChunk == 0)
                {
                    SkipMetadata();
                    return;
                }

                _nextFree = Math.Max(_nextFree, newChunk + 1);
                complete.Add(oldChunk, newChunk);
            }
        }
    }

    private void Allocate()
    {
        _perArea = AreaLength / ExceptionLength;
        _area = new Chunk(AreaLength);
        _zeroes = new Chunk(AreaLength);
    }

    private Chunk NewHeader(bool valid)
    {
        Chunk chunk = new(AreaLength);
        Span<byte> header = chunk.Buffer.Span;
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], valid ? 1u : 0);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], ChunkSize);
        return chunk;
    }

    private BioStatus ReadArea(ulong area) => BlockingIo.Read(Cow, AreaSector(area), _area!.Buffer);

    private ulong AreaChunk(ulong area) => HeaderChunks + (((ulong)_perArea + 1) * area);

    private Sector AreaSector(ulong area) => new(AreaChunk(area) * ChunkSize);

    private (ulong Old, ulong New) Exception(int index)
    {
        Span<byte> exception = Area.Slice(index * ExceptionLength, ExceptionLength);
        return (BinaryPrimitives.ReadUInt64LittleEndian(exception), BinaryPrimitives.ReadUInt64LittleEndian(exception[8..]));
    }

    private void SkipMetadata()
    {
        if (_nextFree % ((ulong)_perArea + 1) == HeaderChunks)
        {
            _nextFree++;
        }
    }

    private static void ThrowUnlessOk(BioStatus status, string sentence)
    {
        if (status != BioStatus.Ok)
        {
            throw new DmException(status.ToErrno(), $"COW device: {sentence}");
        }
    }

    /// <summary>Native memory of a chunk, zeroed.</summary>
    private sealed unsafe class Chunk : IDisposable
    {
        public Chunk(int length)
        {
            nint address = (nint)NativeMemory.AlignedAlloc((nuint)length, BufferPool.Alignment);
            NativeMemory.Clear((void*)address, (nuint)length);
            Buffer = new BioBuffer(address, length);
        }

        public BioBuffer Buffer { get; private set; }

        public void Dispose()
        {
            NativeMemory.AlignedFree((void*)Buffer.Address);
            Buffer = default;
        }
    }
}
