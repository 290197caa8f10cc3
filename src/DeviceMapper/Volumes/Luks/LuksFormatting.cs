using System.Security.Cryptography;
using DeviceMapper.Backends;
using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Targets.Crypt;
using DeviceMapper.Volumes.Integrity;

namespace DeviceMapper.Volumes.Luks;

/// <summary>Writes the header and first keyslot of a new volume. All that can be refused is refused before the first write.</summary>
internal static class LuksFormatting
{
    private const int Stripes = 4000; // of cryptsetup, in both versions
    private const int DigestIterations = 1000; // the key is random: its digest needs no slowness
    private const int SaltSize = 32;
    private const int Piece = 1 << 20;

    /// <summary>Formats a device.</summary>
    /// <param name="device">Where the data will be.</param>
    /// <param name="headerPath">Where the header goes; made if it is not there. Null: to the device's start.</param>
    /// <param name="format">What the volume shall be like.</param>
    /// <param name="passphrase">Of the first keyslot.</param>
    /// <returns>The volume's key.</returns>
    public static SecretMemory Format(string device, string? headerPath, LuksFormat format, ReadOnlySpan<byte> passphrase)
    {
        format.Check();
        ulong reserved = format.Version == 1 ? Luks1Header.ReservedFor(SlotSize(format)) : Luks2Header.Reserved;
        ulong dataOffset = headerPath is null ? reserved : 0;
        ulong size = VolumeFile.SizeOf(device);
        if (size < dataOffset + 4096)
        {
            throw new DmException(Errno.ENOSPC, $"the device has {size} bytes, and a header needs {dataOffset} before any data");
        }

        SecretMemory key = new(format.VolumeKeySize);
        try
        {
            RandomNumberGenerator.Fill(key.Span);
            Format(device, headerPath, format, passphrase, key, dataOffset, reserved);
            return key;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private static void Format(
        string device, string? headerPath, LuksFormat format, ReadOnlySpan<byte> passphrase, SecretMemory key, ulong dataOffset, ulong reserved)
    {
        ulong size = VolumeFile.SizeOf(device);
        int sectorSize = format.SectorSize ?? (format.Version == 2 && (size - dataOffset) % 4096 == 0 ? 4096 : 512);
        LuksHeader header = NewHeader(format, dataOffset, sectorSize, key.Span);
        if (header.Segment.Integrity is not null)
        {
            // What the target refuses, such as too small a device, it refuses of memory of the same size before anything is written.
            using DeviceRegistry registry = new();
            registry.Remove(registry.Create("try", header.Segment.NewIntegrityLine($"mem:{size / Sector.Size * Sector.Size}").ToString()));
        }

        byte[] keyslot = Seal(header.Keyslots[0], passphrase, key.Span);
        using FileStream stream = VolumeFile.OpenForWriting(headerPath ?? device, mayBeNew: headerPath is not null);
        using OpenFile claim = VolumeFile.Claim(headerPath ?? device);
        if (!format.Overwrite)
        {
            VolumeFile.RequireZeroes(stream, headerPath ?? device, 0, reserved);
        }

        if (format.IntegrityOrNull is not null)
        {
            using OpenFile? claimOfData = headerPath is null ? null : VolumeFile.Claim(device);
            using FileStream data = VolumeFile.OpenForWriting(device, mayBeNew: false);
            if (!format.Overwrite)
            {
                VolumeFile.RequireZeroes(data, device, dataOffset, Piece);
            }

            VolumeFile.WriteAt(data, dataOffset, new byte[IntegrityHeader.Size]);
        }

        Wipe(stream, reserved);
        VolumeFile.WriteAt(stream, header.Keyslots[0].Offset, keyslot);
        if (format.Version == 1)
        {
            VolumeFile.WriteAt(stream, 0, Luks1Header.ToBytes(header, SlotSize(format)));
        }
        else
        {
            Luks2Header.Write(stream, header, SlotSize(format));
        }

        stream.Flush(flushToDisk: true);
    }

    // Keyslots start at multiples of 4 KiB.
    private static int SlotSize(LuksFormat format) => ((format.VolumeKeySize * Stripes) + 4095) & ~4095;

    private static LuksHeader NewHeader(LuksFormat format, ulong dataOffset, int sectorSize, ReadOnlySpan<byte> key)
    {
        using (DataCipher cipher = format.IntegrityOrNull is { } integrity
            ? integrity.NewCipher(format.Cipher, sectorSize, format.VolumeKeySize)
            : new CryptCipher(CipherSpecification.Parse(format.Cipher, authenticated: false), sectorSize, largeIvSectors: false, format.KeySize))
        {
            cipher.SetKey(key); // which knows its sizes
            if (format.IntegrityOrNull?.TagSize(format.Cipher) is { } tag)
            {
                cipher.UseTags(tag, tag);
            }

            if (cipher.StoredIvSize > 0 && format.Integrity is null)
            {
                throw new DmException(Errno.EINVAL, $"the cipher '{format.Cipher}' stores its vectors, which a volume without integrity has no place for");
            }
        }

        KeyDerivation digest = KeyDerivation.Pbkdf2(format.Hash, DigestIterations, RandomNumberGenerator.GetBytes(SaltSize));
        using Digest hash = Digest.Create(format.Hash);
        byte[] value = new byte[format.Version == 1 ? Luks1Header.DigestSize : hash.Size];
        digest.Derive(key, value);
        KeyDerivation derivation = KeyDerivationCost.Choose(format, RandomNumberGenerator.GetBytes(SaltSize));
        ulong offset = format.Version == 1 ? Luks1Header.FirstKeyslot : Luks2Header.FirstKeyslot;
        return new LuksHeader
        {
            Version = format.Version,
            Uuid = format.Uuid.ToString(),
            Label = format.Label,
            Segment = new LuksSegment(dataOffset, null, 0, format.Cipher, sectorSize, format.IntegrityOrNull),
            Keyslots = [new LuksKeyslot(0, format.VolumeKeySize, Stripes, format.Hash, offset, format.KeyslotCipher, format.KeyslotKeySize, derivation)],
            Digests = [new LuksDigest([0], digest, value)],
        };
    }

    private static byte[] Seal(LuksKeyslot slot, ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> key)
    {
        using SecretMemory derived = new(slot.CipherKeySize);
        slot.Derivation.Derive(passphrase, derived.Span);
        int length = slot.KeySize * slot.Stripes;
        using SecretMemory stripes = new((length + Sector.Size - 1) / Sector.Size * Sector.Size);
        using Digest hash = Digest.Create(slot.SplitHash);
        AntiForensicSplit.Split(key, stripes.Span[..length], hash);
        using CryptCipher cipher = slot.NewCipher();
        cipher.SetKey(derived.Span);
        byte[] ciphertext = new byte[stripes.Length];
        cipher.Encrypt(stripes.Buffer, ciphertext, 0);
        return ciphertext;
    }

    private static void Wipe(FileStream stream, ulong length)
    {
        byte[] zeroes = new byte[Piece];
        for (ulong offset = 0; offset < length; offset += Piece)
        {
            VolumeFile.WriteAt(stream, offset, zeroes.AsSpan(0, (int)Math.Min(Piece, length - offset)));
        }
    }
}
