using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Integrity;

/// <summary>
/// The journal of an integrity device, all of it, in memory, in the kernel's format: sections of eight sectors of entries and the sectors of data that
/// they tell of. Each sector ends in a commit id of its place and of the round in which it was written, so that a torn section is seen.
/// </summary>
internal sealed unsafe class JournalMemory : IDisposable
{
    /// <summary>Sectors of entries at the start of a section.</summary>
    public const int MetadataSectors = 8;

    /// <summary>Rounds through the journal that the commit ids tell apart.</summary>
    public const int Rounds = 4;

    private const int DataBytes = 504; // of a sector, before its commit id
    private const int LastBytes = 8; // of a sector of data: they stand in the entry instead
    private const int MacBytes = 8; // in each sector of entries
    private const ulong LargestSize = 1 << 30; // bytes

    private readonly IntegrityDevice _device;
    private readonly IntegritySuperblock _superblock;
    private readonly ulong[] _ids = [0x1111111111111111, 0x2222222222222222, 0x3333333333333333, 0x4444444444444444];
    private readonly byte* _memory;
    private readonly JournalCipher? _cipher;

    /// <summary>Makes room for the journal; its content is not read.</summary>
    /// <exception cref="DmException">ENOMEM: it does not fit in memory. ENOENT, ENOKEY, EINVAL: of journal_crypt.</exception>
    public JournalMemory(IntegrityDevice device)
    {
        _device = device;
        _superblock = device.Superblock;
        SectionEntries = _superblock.SectionEntries;
        SectionSize = _superblock.SectionSectors * Sector.Size;
        Sections = _superblock.JournalSections;
        ulong size = (ulong)SectionSize * Sections;
        if (size > LargestSize)
        {
            throw new DmException(Errno.ENOMEM, $"integrity: the journal of {size} bytes is larger than the {LargestSize} that are kept in memory");
        }

        if (device.Options.CryptAlgorithm is { } algorithm)
        {
            _cipher = IntegrityOptions.Create("journal_crypt", () => new JournalCipher(algorithm.CreateCipher(), (nuint)size, _ids));
        }

        for (int i = 1; i < Rounds; i++)
        {
            while (Array.IndexOf(_ids, _ids[i], 0, i) >= 0)
            {
                _ids[i]++;
            }
        }

        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)size, BufferPool.Alignment);
        NativeMemory.Clear(_memory, (nuint)size);
    }

    /// <summary>Sections.</summary>
    public uint Sections { get; }

    /// <summary>Entries of a section.</summary>
    public int SectionEntries { get; }

    private int SectionSize { get; } // bytes

    private int BlockSize => Sector.Size << _superblock.Log2Block;

    /// <summary>The bytes from the start, for the bitmap that mode B has in their place.</summary>
    public Span<byte> Start(int length) => new(_memory, length);

    /// <summary>Writes bytes from the start as they are.</summary>
    public BioStatus WriteStart(int offset, int length) =>
        _device.WriteJournal((ulong)offset >> Sector.Shift, new BioBuffer((nint)_memory + offset, length));

    /// <summary>Reads bytes from the start as they are.</summary>
    public BioStatus ReadStart(int length)
    {
        for (int at = 0; at < length; at += BufferPool.MaxLength)
        {
            BioBuffer part = new((nint)_memory + at, Math.Min(BufferPool.MaxLength, length - at));
            if (_device.ReadJournal((ulong)at >> Sector.Shift, part) is not BioStatus.Ok and BioStatus status)
            {
                return status;
            }
        }

        return BioStatus.Ok;
    }

    /// <summary>Empties sections and writes them (the kernel's <c>init_journal</c>).</summary>
    public void Empty(uint start, uint count, int round)
    {
        for (uint i = 0; i < count; i++)
        {
            uint section = (start + i) % Sections;
            SectionAt(section).Clear();
            Seal(section, round);
            for (int entry = 0; entry < SectionEntries; entry++)
            {
                SetUnused(section, entry);
            }
        }

        Write(start, count);
    }

    /// <summary>Puts the commit ids of a round into a section.</summary>
    public void Seal(uint section, int round)
    {
        Span<byte> bytes = SectionAt(section);
        for (int i = 0; i * Sector.Size < bytes.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[((i * Sector.Size) + DataBytes)..], IdOf(section, i, round));
        }
    }

    /// <summary>Authenticates, encrypts and writes sections durably.</summary>
    public void Write(uint start, uint count)
    {
        using BufferScope encrypted = new(_cipher is null ? 0 : SectionSize);
        Span<byte> mac = stackalloc byte[Digest.LargestSize];
        for (uint i = 0; i < count && _device.Failure == BioStatus.Ok; i++)
        {
            uint section = (start + i) % Sections;
            if (_device.Options.JournalMac is not null)
            {
                MakeMac(section, mac);
                for (int j = 0; j < MetadataSectors; j++)
                {
                    mac.Slice(j * MacBytes, MacBytes).CopyTo(MacOf(section, j));
                }
            }

            BioBuffer buffer = new((nint)_memory + (nint)((ulong)section * (ulong)SectionSize), SectionSize);
            if (_cipher is not null)
            {
                _cipher.Encrypt(section, SectionAt(section), encrypted.Span);
                buffer = encrypted.Buffer;
            }

            _device.FailUnlessOk("writing the journal", _device.WriteJournal(SectorOf(section), buffer));
        }
    }

    /// <summary>Reads and decrypts all sections, and checks their authentication.</summary>
    public void Read()
    {
        for (uint section = 0; section < Sections; section++)
        {
            BioBuffer buffer = new((nint)_memory + (nint)((ulong)section * (ulong)SectionSize), SectionSize);
            BioStatus status = _device.ReadJournal(SectorOf(section), buffer);
            _device.FailUnlessOk("reading the journal", status);
            if (status != BioStatus.Ok)
            {
                return;
            }

            _cipher?.Decrypt(section, SectionAt(section));
            if (_device.Options.JournalMac is not null && !IsAuthentic(section))
            {
                _device.FailUnlessOk("checking the journal's authentication", BioStatus.Protection);
            }
        }
    }

    /// <summary>The round whose commit id a sector of a section has; -1 for none.</summary>
    public int RoundOf(uint section, int sector)
    {
        ulong id = BinaryPrimitives.ReadUInt64LittleEndian(SectionAt(section)[((sector * Sector.Size) + DataBytes)..]);
        for (int round = 0; round < Rounds; round++)
        {
            if (id == IdOf(section, sector, round))
            {
                return round;
            }
        }

        return -1;
    }

    /// <summary>Whether all sectors of a section have the commit ids of a round.</summary>
    public bool IsOfRound(uint section, int round)
    {
        for (int sector = 0; sector < _superblock.SectionSectors; sector++)
        {
            if (BinaryPrimitives.ReadUInt64LittleEndian(SectionAt(section)[((sector * Sector.Size) + DataBytes)..]) != IdOf(section, sector, round))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The sector of the mapped device whose block an entry tells of.</summary>
    public ulong SectorOf(uint section, int entry) => BinaryPrimitives.ReadUInt64LittleEndian(EntryOf(section, entry));

    /// <summary>Whether an entry tells of no block.</summary>
    public bool IsUnused(uint section, int entry) => BinaryPrimitives.ReadUInt32LittleEndian(EntryOf(section, entry)[4..]) == uint.MaxValue;

    /// <summary>Has an entry tell of no block.</summary>
    public void SetUnused(uint section, int entry) => BinaryPrimitives.WriteUInt32LittleEndian(EntryOf(section, entry)[4..], uint.MaxValue);

    /// <summary>The tag of an entry's block.</summary>
    public Span<byte> TagOf(uint section, int entry) => EntryOf(section, entry).Slice(8 + (LastBytes << _superblock.Log2Block), _superblock.TagSize);

    /// <summary>Takes a block; its tag is to be put beside it.</summary>
    /// <returns>The block's bytes, as long as the section is not sealed.</returns>
    public ReadOnlySpan<byte> Put(uint section, int entry, ulong sector, BioBuffer block)
    {
        Span<byte> data = DataOf(section, entry);
        block.CopyTo(data);
        Span<byte> bytes = EntryOf(section, entry);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, sector);
        for (int i = 0; i < 1 << _superblock.Log2Block; i++)
        {
            data.Slice((i * Sector.Size) + DataBytes, LastBytes).CopyTo(bytes[(8 + (LastBytes * i))..]);
        }

        return data;
    }

    /// <summary>Brings back the bytes that the commit ids took the place of.</summary>
    /// <returns>The entry's block.</returns>
    public BioBuffer Restore(uint section, int entry)
    {
        Span<byte> data = DataOf(section, entry);
        ReadOnlySpan<byte> bytes = EntryOf(section, entry);
        for (int i = 0; i < 1 << _superblock.Log2Block; i++)
        {
            bytes.Slice(8 + (LastBytes * i), LastBytes).CopyTo(data[((i * Sector.Size) + DataBytes)..]);
        }

        return new BioBuffer((nint)_memory + (nint)((ulong)section * (ulong)SectionSize) + (MetadataSectors * Sector.Size) + (entry * BlockSize), BlockSize);
    }

    /// <summary>Copies an entry's block out.</summary>
    public void Get(uint section, int entry, BioBuffer block)
    {
        block.CopyFrom(DataOf(section, entry));
        ReadOnlySpan<byte> bytes = EntryOf(section, entry);
        for (int i = 0; i < 1 << _superblock.Log2Block; i++)
        {
            block.Slice((i * Sector.Size) + DataBytes, LastBytes).CopyFrom(bytes.Slice(8 + (LastBytes * i), LastBytes));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cipher?.Dispose();
        NativeMemory.AlignedFree(_memory);
    }

    private ulong IdOf(uint section, int sector, int round) => _ids[round] ^ ((ulong)section << 32) ^ (uint)sector;

    private ulong SectorOf(uint section) => (ulong)section * (ulong)_superblock.SectionSectors;

    private Span<byte> SectionAt(uint section) => new(_memory + ((nuint)section * (nuint)SectionSize), SectionSize);

    private Span<byte> EntryOf(uint section, int entry) =>
        SectionAt(section).Slice((entry % MetadataSectors * Sector.Size) + (entry / MetadataSectors * _superblock.EntrySize), _superblock.EntrySize);

    private Span<byte> DataOf(uint section, int entry) => SectionAt(section).Slice((MetadataSectors * Sector.Size) + (entry * BlockSize), BlockSize);

    private Span<byte> MacOf(uint section, int sector) => SectionAt(section).Slice((sector * Sector.Size) + DataBytes - MacBytes, MacBytes);

    private bool IsAuthentic(uint section)
    {
        Span<byte> mac = stackalloc byte[Digest.LargestSize];
        MakeMac(section, mac);
        bool same = true;
        for (int j = 0; j < MetadataSectors; j++)
        {
            same &= CryptographicOperations.FixedTimeEquals(mac.Slice(j * MacBytes, MacBytes), MacOf(section, j));
        }

        return same;
    }

    // Of the sectors that the entries tell of; with a salt, of that and of the section's number too.
    private void MakeMac(uint section, Span<byte> mac)
    {
        ReadOnlySpan<byte> salt = _superblock.Salt;
        Span<byte> first = stackalloc byte[salt.Length + (salt.IsEmpty ? 0 : sizeof(ulong))];
        if (!salt.IsEmpty)
        {
            salt.CopyTo(first);
            BinaryPrimitives.WriteUInt64LittleEndian(first[salt.Length..], section);
        }

        using BufferScope sectors = new(SectionEntries * sizeof(ulong));
        for (int entry = 0; entry < SectionEntries; entry++)
        {
            EntryOf(section, entry)[..sizeof(ulong)].CopyTo(sectors.Span[(entry * sizeof(ulong))..]);
        }

        mac.Clear();
        _device.Options.JournalMac!.Hash(first, sectors.Span, mac);
    }
}
