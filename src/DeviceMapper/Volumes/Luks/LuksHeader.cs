using System.Globalization;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Targets.Crypt;

namespace DeviceMapper.Volumes.Luks;

/// <summary>What a LUKS header says, of either version.</summary>
internal sealed record LuksHeader
{
    /// <summary>Where header and data would be too far away to be true, in bytes.</summary>
    public const ulong LargestOffset = 1ul << 62;

    /// <summary>1 or 2.</summary>
    public required int Version { get; init; }

    /// <summary>Of the volume.</summary>
    public required string Uuid { get; init; }

    /// <summary>Its name, which LUKS1 does not have.</summary>
    public string Label { get; init; } = "";

    /// <summary>The data.</summary>
    public required LuksSegment Segment { get; init; }

    /// <summary>The slots in use, in the order in which they are tried.</summary>
    public required IReadOnlyList<LuksKeyslot> Keyslots { get; init; }

    /// <summary>What tells whether a key is right.</summary>
    public required IReadOnlyList<LuksDigest> Digests { get; init; }

    /// <summary>Options of crypt that the header asks for.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>Whether the integrity device of authenticated sectors uses its journal.</summary>
    public bool HasJournal { get; init; } = true;

    /// <summary>How headers start.</summary>
    public static ReadOnlySpan<byte> Magic => [(byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xba, 0xbe];

    /// <summary>Reads the header at the start of a device.</summary>
    /// <exception cref="DmException">EINVAL: there is none, it is damaged, or asks for what is not known.</exception>
    public static LuksHeader Read(Stream device)
    {
        byte[] start = ReadAt(device, 0, 8);
        if (start.AsSpan(0, 6).SequenceEqual(Magic) && start[6] == 0 && start[7] == 1)
        {
            return Luks1Header.Read(device);
        }

        // Version 2 has a second header, which serves where the first is damaged.
        return Luks2Header.TryRead(device)
            ?? throw Damaged("there is no LUKS header: it was never formatted, is another kind of device, or its header is gone or damaged");
    }

    /// <summary>Reads bytes; what is behind the device's end is zeroes.</summary>
    public static byte[] ReadAt(Stream device, ulong offset, int length)
    {
        byte[] bytes = new byte[length];
        device.Position = (long)offset;
        device.ReadAtLeast(bytes, length, throwOnEndOfStream: false);
        return bytes;
    }

    /// <summary>The error of a header that cannot be used.</summary>
    public static DmException Damaged(string sentence, Exception? cause = null) =>
        cause is null ? new(Errno.EINVAL, sentence) : new(Errno.EINVAL, sentence, cause);
}

/// <summary>The encrypted data.</summary>
/// <param name="Offset">Where it starts, in bytes.</param>
/// <param name="Size">In bytes; null: all the rest.</param>
/// <param name="IvOffset">The number of its first sector for the vectors, in 512 bytes.</param>
/// <param name="Cipher">As in crypt's table, where sectors are not authenticated.</param>
/// <param name="SectorSize">Bytes that are encrypted at once.</param>
/// <param name="Integrity">How they are authenticated; null: not at all.</param>
internal sealed record LuksSegment(ulong Offset, ulong? Size, ulong IvOffset, string Cipher, int SectorSize, LuksIntegrity? Integrity = null)
{
    /// <summary>The line of the integrity device that has the tags.</summary>
    /// <param name="device">The table's word for where data and tags lie.</param>
    /// <param name="length">What the superblock says.</param>
    /// <param name="mode">J or D: with its journal, or without.</param>
    /// <exception cref="DmException">EINVAL: there are no tags.</exception>
    public TableLine IntegrityLine(string device, SectorCount length, char mode) => IntegrityLine(device, length, mode, []);

    /// <summary>That of one which formats a blank device.</summary>
    /// <param name="device">As above.</param>
    public TableLine NewIntegrityLine(string device) => IntegrityLine(device, new SectorCount(8), 'J', ["fix_padding"]);

    private TableLine IntegrityLine(string device, SectorCount length, char mode, string[] options)
    {
        LuksIntegrity integrity = Integrity ?? throw new DmException(Errno.EINVAL, "the volume's sectors are not authenticated: it has no integrity device");
        string[] all = SectorSize == Sector.Size ? options : [$"block_size:{SectorSize}", .. options];
        string place = string.Create(CultureInfo.InvariantCulture, $"{device} {SectorCount.FromBytes(Offset)} {integrity.TagSize(Cipher)} {mode} {all.Length}");
        return new TableLine(default, length, "integrity", string.Join(' ', [place, .. all]));
    }
}

/// <summary>A place that keeps the volume's key, encrypted by a passphrase's.</summary>
/// <param name="Number">As cryptsetup counts them.</param>
/// <param name="KeySize">Bytes of the volume's key.</param>
/// <param name="Stripes">How many times that it is spread over.</param>
/// <param name="SplitHash">What spreads it.</param>
/// <param name="Offset">Where it lies, in bytes.</param>
/// <param name="Cipher">What encrypts it, as in crypt's table.</param>
/// <param name="CipherKeySize">Bytes of the key that the passphrase gives.</param>
/// <param name="Derivation">How it gives it.</param>
internal sealed record LuksKeyslot(
    int Number, int KeySize, int Stripes, string SplitHash, ulong Offset, string Cipher, int CipherKeySize, KeyDerivation Derivation)
{
    private const int LargestKey = 512; // bytes
    private const int MostStripes = 1 << 14;

    /// <summary>What encrypts it; it has no key yet.</summary>
    public CryptCipher NewCipher() => new(CipherSpecification.Parse(Cipher, authenticated: false), Sector.Size, largeIvSectors: false, CipherKeySize);

    /// <summary>Refuses sizes that nothing can have.</summary>
    public LuksKeyslot Checked() =>
        KeySize is > 0 and <= LargestKey
        && CipherKeySize is > 0 and <= LargestKey
        && Stripes is > 0 and <= MostStripes
        && Offset < LuksHeader.LargestOffset
            ? this
            : throw LuksHeader.Damaged($"the LUKS header is damaged: keyslot {Number} has impossible sizes");
}

/// <summary>What tells whether a key is the volume's.</summary>
/// <param name="Keyslots">The slots that keep that key.</param>
/// <param name="Derivation">What is done with the key.</param>
/// <param name="Value">What has to come out.</param>
internal sealed record LuksDigest(IReadOnlyList<int> Keyslots, KeyDerivation Derivation, byte[] Value);
