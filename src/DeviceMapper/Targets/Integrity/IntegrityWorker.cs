using System.Buffers.Binary;
using System.Numerics;
using DeviceMapper.Cryptography;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Integrity;

/// <summary>The thread of an integrity target: does its bios one after the other, so that data and tags of a block never go apart.</summary>
internal sealed class IntegrityWorker : IDisposable
{
    private const byte DiscardFiller = 0xf6; // of tags of blocks that were discarded

    private readonly IntegrityTarget _target;
    private readonly IntegrityOptions _options;
    private readonly IntegritySuperblock _superblock;
    private readonly DeviceReference _data;
    private readonly DeviceReference _metadata; // of superblock, journal and tags
    private readonly Sector _dataStart;
    private readonly Sector _metadataStart;
    private readonly Journal _journal;
    private readonly Queue<Bio> _bios = new(256); // also its lock
    private readonly Thread _thread;
    private bool _over;
    private bool _replayed;
    private long _mismatches;

    public IntegrityWorker(IntegrityTarget target, IntegrityOptions options, IntegritySuperblock superblock, DeviceReference device, Sector start)
    {
        _target = target;
        _options = options;
        _superblock = superblock;
        _data = device;
        _metadata = options.MetadataDevice ?? device;
        _dataStart = start;
        _metadataStart = start;
        _journal = new Journal(superblock, _metadata.Device, start);
        _thread = new Thread(Run) { IsBackground = true, Name = "udm-integrity" };
    }

    /// <summary>Blocks whose tag was wrong.</summary>
    public long Mismatches => Interlocked.Read(ref _mismatches);

    private int BlockSize => Sector.Size << _options.Log2Block;

    private ulong? MetadataSectors => _options.MetadataDevice?.Backend.Size.Value;

    /// <summary>Reads the superblock, or makes one on a blank device; then takes bios.</summary>
    /// <exception cref="DmException">EINVAL: it does not fit the table. EIO: it cannot be read or written.</exception>
    public void Open()
    {
        using BioMemoryScope memory = new((int)IntegritySuperblock.Sectors * Sector.Size);
        Check(BlockingIo.Read(_metadata.Device, _metadataStart, memory.Buffer), "read");
        ulong size = _data.Backend.Size.Value - (_options.MetadataDevice is null ? _dataStart.Value : 0);
        if (!memory.Span.StartsWith("integrt\0"u8))
        {
            if (_options.Mode != 'R' && memory.Span.ContainsAnyExcept((byte)0))
            {
                throw new DmException(Errno.EINVAL, "integrity: the device is neither blank nor has a superblock: write zeroes to its first 4096 bytes to have it formatted");
            }

            _superblock.Format(_options, size, MetadataSectors);
            if (_options.Mode != 'R')
            {
                Format(memory);
            }
        }
        else
        {
            _superblock.Read(memory.Span, _options);
        }

        _superblock.CheckFits(size, MetadataSectors);
        _thread.Start();
    }

    /// <summary>Brings what a crash left in the journal to its place, before the first bio.</summary>
    /// <exception cref="DmException">EIO: that was not possible.</exception>
    public void Replay()
    {
        if (_replayed || _options.Mode == 'R')
        {
            return;
        }

        Check(_journal.Replay(ReplayBlock), "replay the journal of");
        _replayed = true;
    }

    /// <summary>Takes a bio; its sector counts from the target's start.</summary>
    public void Add(Bio bio)
    {
        lock (_bios)
        {
            _bios.Enqueue(bio);
            Monitor.Pulse(_bios);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_bios)
        {
            _over = true;
            Monitor.Pulse(_bios);
        }

        if (_thread.IsAlive)
        {
            _thread.Join();
        }
    }

    private static void Check(BioStatus status, string what)
    {
        if (status != BioStatus.Ok)
        {
            throw new DmException(status.ToErrno(), $"integrity: cannot {what} the device");
        }
    }

    private void Format(BioMemoryScope memory)
    {
        memory.Span.Clear();
        Check(_journal.Clear(0), "write the journal of");
        _superblock.Write(memory.Span);
        Check(BlockingIo.Write(_metadata.Device, _metadataStart, memory.Buffer), "write");
        Check(BlockingIo.Flush(_metadata.Device), "flush");
    }

    private void Run()
    {
        while (true)
        {
            Bio? bio;
            lock (_bios)
            {
                while (!_bios.TryDequeue(out bio))
                {
                    if (_over)
                    {
                        return;
                    }

                    Monitor.Wait(_bios);
                }
            }

            bio.EndMapped(Do(bio));
        }
    }

    private BioStatus Do(Bio bio)
    {
        try
        {
            return bio.Operation switch
            {
                BioOperation.Read => Read(bio.Sector.Value, bio.Buffer),
                BioOperation.Write => Write(bio),
                BioOperation.Discard => Discard(bio.Sector.Value, (int)(bio.Count.Value >> _options.Log2Block)),
                BioOperation.Flush => Flush(),
                _ => BioStatus.Unsupported,
            };
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _target.Table.LogTargetBug(_target, e);
            return BioStatus.IoError;
        }
    }

    private BioStatus Read(ulong sector, BioBuffer buffer)
    {
        BioStatus status = BlockingIo.Read(_data.Device, DataAt(sector), buffer);
        if (status != BioStatus.Ok || _options.InternalHash is null || _options.Mode == 'R')
        {
            return status;
        }

        int blocks = buffer.Length / BlockSize;
        using BioMemoryScope tags = new(Math.Max(1, blocks * _superblock.TagSize));
        status = ReadTags(sector, tags.Span);
        if (status != BioStatus.Ok)
        {
            return status;
        }

        Span<byte> content = stackalloc byte[BlockSize];
        Span<byte> expected = stackalloc byte[_superblock.TagSize];
        for (int block = 0; block < blocks; block++)
        {
            buffer.Slice(block * BlockSize, BlockSize).CopyTo(content);
            ReadOnlySpan<byte> tag = tags.Span.Slice(block * _superblock.TagSize, _superblock.TagSize);
            MakeTag(sector + ((ulong)block << _options.Log2Block), content, expected);
            if (!tag.SequenceEqual(expected) && !(_options.AllowDiscards && !tag.ContainsAnyExcept(DiscardFiller)))
            {
                Interlocked.Increment(ref _mismatches);
                return BioStatus.Protection;
            }
        }

        return BioStatus.Ok;
    }

    private BioStatus Write(Bio bio)
    {
        using BioMemoryScope data = new(bio.Buffer.Length);
        bio.Buffer.CopyTo(data.Span); // the submitter may change its memory meanwhile: data and tags have to agree
        int blocks = data.Span.Length / BlockSize;
        using BioMemoryScope tags = new(Math.Max(1, blocks * _superblock.TagSize));
        ulong sector = bio.Sector.Value;
        for (int block = 0; block < blocks && _options.InternalHash is not null; block++)
        {
            MakeTag(
                sector + ((ulong)block << _options.Log2Block),
                data.Span.Slice(block * BlockSize, BlockSize),
                tags.Span.Slice(block * _superblock.TagSize, _superblock.TagSize));
        }

        for (int done = 0; done < blocks;)
        {
            int count = _options.Mode == 'J' ? Math.Min(blocks - done, _journal.SectionBlocks) : blocks;
            BioStatus status = WriteBlocks(
                sector + ((ulong)done << _options.Log2Block),
                data.Buffer.Slice(done * BlockSize, count * BlockSize),
                tags.Span.Slice(done * _superblock.TagSize, count * _superblock.TagSize));
            if (status != BioStatus.Ok)
            {
                return status;
            }

            done += count;
        }

        return (bio.Flags & BioFlags.Fua) != 0 ? Flush() : BioStatus.Ok;
    }

    private BioStatus WriteBlocks(ulong sector, BioBuffer data, ReadOnlySpan<byte> tags)
    {
        BioStatus status = BioStatus.Ok;
        if (_options.Mode == 'J')
        {
            status = _journal.Append(sector, data.Span, tags);
        }

        if (status == BioStatus.Ok)
        {
            status = BlockingIo.Write(_data.Device, DataAt(sector), data);
        }

        return status == BioStatus.Ok && _options.InternalHash is not null ? WriteTags(sector, tags) : status;
    }

    private BioStatus Discard(ulong sector, int blocks)
    {
        using BioMemoryScope tags = new(BufferPool.MaxLength / 2);
        tags.Span.Fill(DiscardFiller);
        while (blocks > 0)
        {
            // Up to the next run of tags.
            ulong left = _superblock.Interleave == 0 ? ulong.MaxValue : (_superblock.Interleave - (sector & (_superblock.Interleave - 1))) >> _options.Log2Block;
            int count = (int)Math.Min((ulong)Math.Min(blocks, tags.Span.Length / _superblock.TagSize), left);
            BioStatus status = WriteTags(sector, tags.Span[..(count * _superblock.TagSize)]);
            if (status != BioStatus.Ok)
            {
                return status;
            }

            sector += (ulong)count << _options.Log2Block;
            blocks -= count;
        }

        return BioStatus.Ok;
    }

    private BioStatus Flush()
    {
        BioStatus status = BlockingIo.Flush(_data.Device);
        return status == BioStatus.Ok && _options.MetadataDevice is not null ? BlockingIo.Flush(_metadata.Device) : status;
    }

    private BioStatus ReplayBlock(ulong sector, ReadOnlySpan<byte> data, ReadOnlySpan<byte> tag)
    {
        if (sector >= _superblock.ProvidedSectors)
        {
            return BioStatus.IoError;
        }

        using BioMemoryScope memory = new(data.Length);
        data.CopyTo(memory.Span);
        BioStatus status = BlockingIo.Write(_data.Device, DataAt(sector), memory.Buffer);
        return status == BioStatus.Ok ? WriteTags(sector, tag) : status;
    }

    private Sector DataAt(ulong sector) => _dataStart + new SectorCount(_superblock.DataSector(sector));

    private void MakeTag(ulong sector, ReadOnlySpan<byte> block, Span<byte> tag)
    {
        Span<byte> first = stackalloc byte[16 + sizeof(ulong)];
        ReadOnlySpan<byte> salt = _superblock.Salt;
        salt.CopyTo(first);
        BinaryPrimitives.WriteUInt64LittleEndian(first[salt.Length..], sector);
        Span<byte> digest = stackalloc byte[Digest.LargestSize];
        Digest hash = _options.InternalHash!;
        hash.Hash(first[..(salt.Length + sizeof(ulong))], block, digest);
        int size = Math.Min(tag.Length, hash.Size);
        digest[..size].CopyTo(tag);
        tag[size..].Clear();
    }

    private BioStatus ReadTags(ulong sector, Span<byte> tags)
    {
        ulong at = _superblock.TagByte(sector);
        int skip = (int)(at % Sector.Size);
        using BioMemoryScope memory = new(RoundUp(skip + tags.Length));
        BioStatus status = BlockingIo.Read(_metadata.Device, _metadataStart + SectorCount.FromBytes(at), memory.Buffer);
        memory.Span.Slice(skip, tags.Length).CopyTo(tags);
        return status;
    }

    private BioStatus WriteTags(ulong sector, ReadOnlySpan<byte> tags)
    {
        ulong at = _superblock.TagByte(sector);
        int skip = (int)(at % Sector.Size);
        using BioMemoryScope memory = new(RoundUp(skip + tags.Length));
        Sector place = _metadataStart + SectorCount.FromBytes(at);
        BioStatus status = BlockingIo.Read(_metadata.Device, place, memory.Buffer);
        tags.CopyTo(memory.Span[skip..]);
        return status == BioStatus.Ok ? BlockingIo.Write(_metadata.Device, place, memory.Buffer) : status;
    }

    private static int RoundUp(int bytes) => (int)((uint)(bytes + Sector.Size - 1) & ~(uint)(Sector.Size - 1));
}
