using System.Buffers.Binary;
using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Integrity;

/// <summary>
/// What I/O, journal, bitmap and recalculation of an integrity target share: the devices below, superblock and layout, tags, and the first error, after
/// which nothing goes on. Used by the target's thread alone after the constructor, but for what says otherwise.
/// </summary>
internal sealed class IntegrityDevice : IDisposable
{
    private const byte DiscardFiller = 0xf6; // what tags of discarded blocks consist of

    private readonly DeviceReference _data;
    private readonly DeviceReference _metadata; // of superblock, journal and tags
    private readonly Sector _start;
    private readonly MappedDevice _owner;
    private long _mismatches;
    private int _failure; // a BioStatus
    private TagCache? _tags;

    /// <summary>Takes the devices; reads nothing yet.</summary>
    public IntegrityDevice(TargetArguments arguments, IntegrityOptions options, int tagSize, DeviceReference device, Sector start)
    {
        Options = options;
        _owner = arguments.Table.Owner;
        _data = device;
        _metadata = options.MetadataDevice ?? device;
        _start = start;
        Below = options.Mode == 'I' ? device.Device.Limits.Integrity : null;
        Superblock = new IntegritySuperblock(options, tagSize, device.Backend.Size.Value, _metadata.Backend.Size.Value, start);
    }

    /// <summary>Mode and options.</summary>
    public IntegrityOptions Options { get; }

    /// <summary>The superblock.</summary>
    public IntegritySuperblock Superblock { get; }

    /// <summary>Blocks whose tag was wrong.</summary>
    public long Mismatches => Interlocked.Read(ref _mismatches);

    /// <summary>The error that ended all; <see cref="BioStatus.Ok"/> before. For any thread.</summary>
    public BioStatus Failure => (BioStatus)Volatile.Read(ref _failure);

    /// <summary>Bytes that have one tag.</summary>
    public int BlockSize => Sector.Size << Options.Log2Block;

    /// <summary>What it keeps beside each block for who is above; null with tags of its own. Known once it is open.</summary>
    public IntegrityProfile? Profile { get; private set; }

    /// <summary>Mode I: what the device below keeps beside each block, for its tag; null in other modes.</summary>
    public IntegrityProfile? Below { get; }

    /// <summary>Mode I: bytes that the device below keeps beside each block, for its tag; 0 in other modes.</summary>
    public int TupleSize => Below?.TagSize ?? 0;

    /// <summary>Whether a superblock was made, which is to be written after the journal.</summary>
    public bool IsBlank { get; private set; }

    /// <summary>Reads the superblock, or makes that of a blank device.</summary>
    /// <exception cref="DmException">EINVAL: it does not fit table and devices. EILSEQ: its authentication is wrong. EIO: it cannot be read.</exception>
    public void Open()
    {
        using BufferScope buffer = new(Superblock.Content.Length);
        BioStatus status = BlockingIo.Read(_metadata.Device, _start, buffer.Buffer);
        if (status != BioStatus.Ok)
        {
            throw new DmException(status.ToErrno(), "integrity: the superblock cannot be read");
        }

        buffer.Span.CopyTo(Superblock.Content);
        if (!Superblock.IsAuthentic())
        {
            throw new DmException(Errno.EILSEQ, "integrity: the superblock was changed, or the key of journal_mac is another than it was made with");
        }

        if (!Superblock.IsThere)
        {
            if (Options.Mode != 'R' && Superblock.Content.ContainsAnyExcept((byte)0))
            {
                throw new DmException(
                    Errno.EINVAL, "integrity: the device is neither blank nor has a superblock: write zeroes to its first 4096 bytes to have it formatted");
            }

            Superblock.Format();
            IsBlank = Options.Mode != 'R';
        }

        Superblock.Check();
        Profile = Options.InternalHash is null ? new IntegrityProfile(Superblock.TagSize, BlockSize) : null;
        _tags = new TagCache(_metadata, _start + new SectorCount(Superblock.InitialSectors));
        if (IsBlank)
        {
            Superblock.StoredLog2BlocksPerBit = Superblock.Log2SectorsPerBit - Superblock.Log2Block;
        }
    }

    /// <summary>Reads the superblock anew, at a resume: who had the device since the constructor may have changed it.</summary>
    public void Reopen()
    {
        IntegrityFlags wanted = (Superblock.Flags & IntegrityFlags.Recalculating) | (Options.KeyedDiscards ? IntegrityFlags.KeyedDiscard : 0);
        using BufferScope buffer = new(Superblock.Content.Length);
        FailUnlessOk("reading the superblock", BlockingIo.Read(_metadata.Device, _start, buffer.Buffer));
        if (Failure != BioStatus.Ok)
        {
            return;
        }

        if (!Superblock.TryRenew(buffer.Span))
        {
            FailUnlessOk("the superblock, which was changed while the device was suspended", BioStatus.Invalid);
            return;
        }

        FailUnlessOk("the superblock's authentication", Superblock.IsAuthentic() ? BioStatus.Ok : BioStatus.Protection);
        if (Options.Mode != 'R' && (Superblock.Flags & wanted) != wanted)
        {
            Superblock.Flags |= wanted;
            SaveSuperblock();
        }
    }

    /// <summary>Counts a block whose tag is wrong. For any thread.</summary>
    public void CountMismatch(ulong sector)
    {
        Interlocked.Increment(ref _mismatches);
        _owner.Logger.TagIsWrong(_owner.Name, sector);
    }

    /// <summary>Lets all I/O fail from now on, where an error is the first.</summary>
    /// <param name="what">What failed.</param>
    /// <param name="status">How; nothing happens where it did not.</param>
    public void FailUnlessOk(string what, BioStatus status)
    {
        if (status == BioStatus.Ok)
        {
            return;
        }

        if (status == BioStatus.Protection)
        {
            Interlocked.Increment(ref _mismatches);
        }

        if (Failure == BioStatus.Ok)
        {
            Volatile.Write(ref _failure, (int)status);
            _owner.Logger.HasFailed(_owner.Name, what, status);
        }
    }

    /// <summary>Reads data, within one run of it.</summary>
    /// <param name="sector">The first.</param>
    /// <param name="buffer">Filled.</param>
    /// <param name="tuples">Mode I: for what the device below keeps beside each block.</param>
    public BioStatus ReadData(ulong sector, BioBuffer buffer, BioTags? tuples = null) => BlockingIo.Read(_data.Device, DataAt(sector), buffer, tuples);

    /// <summary>Writes data, within one run of it.</summary>
    /// <param name="sector">The first.</param>
    /// <param name="buffer">The blocks.</param>
    /// <param name="tuples">Mode I: what the device below is to keep beside each block.</param>
    public BioStatus WriteData(ulong sector, BioBuffer buffer, BioTags? tuples = null) => BlockingIo.Write(_data.Device, DataAt(sector), buffer, tuples);

    /// <summary>Mode I: writes blocks with their tags.</summary>
    public BioStatus WriteWithTuples(ulong sector, BioBuffer data)
    {
        BioTags tuples = RentTuples(data.Length);
        MakeTags(sector, data, tuples.Memory.Span, TupleSize);
        BioStatus status = WriteData(sector, data, tuples);
        tuples.Return();
        return status;
    }

    /// <summary>Mode I: memory for what the device below keeps beside blocks. For any thread.</summary>
    /// <param name="length">Of the blocks, in bytes.</param>
    public BioTags RentTuples(int length) => BioTags.Rent(Below!, length);

    /// <summary>Discards data, within one run of it.</summary>
    public BioStatus DiscardData(ulong sector, SectorCount count) => BlockingIo.Discard(_data.Device, DataAt(sector), count);

    /// <summary>Makes a bio, whose sector counts from the target's start, one of the data's device. For any thread.</summary>
    public void Remap(Bio bio)
    {
        bio.Device = _data.Device;
        bio.Sector = DataAt(bio.Sector.Value);
    }

    /// <summary>Reads the tags of blocks that follow one another within one run of data.</summary>
    public BioStatus ReadTags(ulong sector, Span<byte> tags) => Failure != BioStatus.Ok ? Failure : _tags!.Read(Superblock.TagByte(sector), tags);

    /// <summary>Writes the tags of blocks that follow one another within one run of data.</summary>
    public BioStatus WriteTags(ulong sector, ReadOnlySpan<byte> tags) => Failure != BioStatus.Ok ? Failure : _tags!.Write(Superblock.TagByte(sector), tags);

    /// <summary>Reads tags. For any thread, where it does not wait.</summary>
    /// <returns>Whether it is done: false where it would have to wait.</returns>
    public bool TryReadTags(ulong sector, Span<byte> tags, bool mayWait, out BioStatus status)
    {
        status = mayWait ? ReadTags(sector, tags) : Failure;
        return mayWait || status != BioStatus.Ok || _tags!.TryRead(Superblock.TagByte(sector), tags);
    }

    /// <summary>Writes tags. For any thread, where it does not wait.</summary>
    /// <returns>Whether it is done: false where it would have to wait.</returns>
    public bool TryWriteTags(ulong sector, ReadOnlySpan<byte> tags, bool mayWait, out BioStatus status)
    {
        status = mayWait ? WriteTags(sector, tags) : Failure;
        return mayWait || status != BioStatus.Ok || _tags!.TryWrite(Superblock.TagByte(sector), tags);
    }

    /// <summary>The tags that came with a bio from above, one for each block; empty where there are none. For any thread.</summary>
    public static Span<byte> TagsOf(Bio bio) => bio.Context is BioTags tags ? tags.Of(bio.TagsOffset, (int)bio.Count.Bytes) : default;

    /// <summary>Reads what lies behind the superblock.</summary>
    public BioStatus ReadJournal(ulong sector, BioBuffer buffer) => BlockingIo.Read(_metadata.Device, JournalAt(sector), buffer);

    /// <summary>Writes durably what lies behind the superblock.</summary>
    public BioStatus WriteJournal(ulong sector, BioBuffer buffer) => BlockingIo.Write(_metadata.Device, JournalAt(sector), buffer, BioFlags.Fua);

    /// <summary>Writes the superblock durably, unless something has failed.</summary>
    public void SaveSuperblock()
    {
        if (Failure == BioStatus.Ok)
        {
            FailUnlessOk("writing the superblock", WriteSuperblock());
        }
    }

    /// <summary>Writes the superblock durably.</summary>
    public BioStatus WriteSuperblock()
    {
        Superblock.Seal();
        using BufferScope buffer = new(Superblock.Content.Length);
        Superblock.Content.CopyTo(buffer.Span);
        return BlockingIo.Write(_metadata.Device, _start, buffer.Buffer, BioFlags.Fua);
    }

    /// <summary>Makes durable what was written, tags included.</summary>
    public void Flush()
    {
        if (Failure != BioStatus.Ok)
        {
            return;
        }

        BioStatus status = _tags?.WriteBack() ?? BioStatus.Ok;
        FailUnlessOk("writing tags", status);
        if (Failure == BioStatus.Ok)
        {
            FailUnlessOk("flushing", BlockingIo.Flush(_data.Device));
        }

        if (Failure == BioStatus.Ok && Options.MetadataDevice is not null)
        {
            FailUnlessOk("flushing tags", BlockingIo.Flush(_metadata.Device));
        }
    }

    /// <summary>Makes the tag of a block (the kernel's <c>integrity_sector_checksum</c>). For any thread.</summary>
    public void MakeTag(ulong sector, ReadOnlySpan<byte> block, Span<byte> tag)
    {
        Span<byte> first = stackalloc byte[16 + sizeof(ulong)];
        ReadOnlySpan<byte> salt = Superblock.Salt;
        salt.CopyTo(first);
        BinaryPrimitives.WriteUInt64LittleEndian(first[salt.Length..], sector);
        Span<byte> digest = stackalloc byte[Digest.LargestSize];
        Digest hash = Options.InternalHash!;
        hash.Hash(first[..(salt.Length + sizeof(ulong))], block, digest);
        int size = Math.Min(tag.Length, hash.Size);
        digest[..size].CopyTo(tag);
        tag[size..].Clear();
    }

    /// <summary>Makes the tags of blocks. For any thread.</summary>
    /// <param name="sector">Of the first block, from the target's start.</param>
    /// <param name="data">The blocks.</param>
    /// <param name="tags">Filled.</param>
    /// <param name="stride">Bytes for each; what a digest has no bytes for is zero.</param>
    public void MakeTags(ulong sector, BioBuffer data, Span<byte> tags, int stride)
    {
        for (int i = 0; i < data.Length / BlockSize; i++)
        {
            BioBuffer block = data.Slice(i * BlockSize, BlockSize);
            ulong at = sector + ((ulong)i << Superblock.Log2Block);
            Span<byte> tag = tags.Slice(i * stride, stride);
            if (block.IsContiguous)
            {
                MakeTag(at, block.Span, tag);
                continue;
            }

            using BufferScope joined = new(block.Length);
            block.CopyTo(joined.Span);
            MakeTag(at, joined.Span, tag);
        }
    }

    /// <summary>Makes the tag of a discarded block: with <see cref="IntegrityOptions.KeyedDiscards"/>, that of no data at its place. For any thread.</summary>
    public void MakeDiscardTag(ulong sector, Span<byte> tag)
    {
        if (Options.KeyedDiscards)
        {
            MakeTag(sector, default, tag);
        }
        else
        {
            tag.Fill(DiscardFiller);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _tags?.Dispose();

    private Sector DataAt(ulong sector) => (Options.MetadataDevice is null ? _start : default) + new SectorCount(Superblock.DataSector(sector));

    private Sector JournalAt(ulong sector) => _start + new SectorCount(IntegritySuperblock.Sectors + sector);
}
