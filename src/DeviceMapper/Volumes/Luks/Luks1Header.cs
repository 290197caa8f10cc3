using System.Buffers.Binary;
using System.Text;
using DeviceMapper.Io;

namespace DeviceMapper.Volumes.Luks;

/// <summary>A header of LUKS1: 592 bytes, big endian (LUKS On-Disk Format Specification 1.2.3, 2.1).</summary>
internal static class Luks1Header
{
    private const int Size = 592;
    private const int Slots = 8;
    private const int FirstSlot = 208;
    private const int SlotSize = 48;
    private const uint InUse = 0x00ac71f3;
    private const uint Unused = 0x0000dead;
    private const int SaltSize = 32;

    /// <summary>Bytes of the key's digest.</summary>
    public const int DigestSize = 20;

    /// <summary>Where cryptsetup puts the first keyslot, in bytes.</summary>
    public const ulong FirstKeyslot = 4096;

    /// <summary>Reads it; its first bytes were looked at.</summary>
    public static LuksHeader Read(Stream device)
    {
        byte[] bytes = LuksHeader.ReadAt(device, 0, Size);
        string cipher = $"{Text(bytes, 8, 32)}-{Text(bytes, 40, 32)}";
        string hash = Text(bytes, 72, 32);
        int keySize = (int)U32(bytes, 108);
        List<LuksKeyslot> slots = [];
        for (int i = 0; i < Slots; i++)
        {
            int at = FirstSlot + (i * SlotSize);
            if (U32(bytes, at) == InUse)
            {
                KeyDerivation derivation = KeyDerivation.Pbkdf2(hash, (int)U32(bytes, at + 4), bytes.AsSpan(at + 8, SaltSize).ToArray());
                ulong offset = (ulong)U32(bytes, at + 40) << Sector.Shift;
                slots.Add(new LuksKeyslot(i, keySize, (int)U32(bytes, at + 44), hash, offset, cipher, keySize, derivation).Checked());
            }
        }

        KeyDerivation digest = KeyDerivation.Pbkdf2(hash, (int)U32(bytes, 164), bytes.AsSpan(132, SaltSize).ToArray());
        return new LuksHeader
        {
            Version = 1,
            Uuid = Text(bytes, 168, 40),
            Segment = new LuksSegment((ulong)U32(bytes, 104) << Sector.Shift, null, 0, cipher, Sector.Size),
            Keyslots = slots,
            Digests = [new LuksDigest([.. Enumerable.Range(0, Slots)], digest, bytes.AsSpan(112, DigestSize).ToArray())],
        };
    }

    /// <summary>Where data may start behind eight keyslots of a size, in bytes: at a multiple of 1 MiB, as cryptsetup's.</summary>
    public static ulong ReservedFor(int slotSize) => (FirstKeyslot + ((ulong)Slots * (ulong)slotSize) + 0xfffff) & ~0xffffful;

    /// <summary>The bytes of a new header, whose first keyslot is in use.</summary>
    public static byte[] ToBytes(LuksHeader header, int slotSize)
    {
        byte[] bytes = new byte[Size];
        LuksKeyslot slot = header.Keyslots[0];
        LuksDigest digest = header.Digests[0];
        string[] cipher = header.Segment.Cipher.Split('-', 2);
        LuksHeader.Magic.CopyTo(bytes);
        bytes[7] = 1;
        Encoding.ASCII.GetBytes(cipher[0], bytes.AsSpan(8, 31));
        Encoding.ASCII.GetBytes(cipher[1], bytes.AsSpan(40, 31));
        Encoding.ASCII.GetBytes(slot.SplitHash, bytes.AsSpan(72, 31));
        Put(bytes, 104, header.Segment.Offset >> Sector.Shift);
        Put(bytes, 108, (ulong)slot.KeySize);
        digest.Value.CopyTo(bytes.AsSpan(112, DigestSize));
        digest.Derivation.Salt.CopyTo(bytes.AsSpan(132, SaltSize));
        Put(bytes, 164, (ulong)digest.Derivation.Iterations);
        Encoding.ASCII.GetBytes(header.Uuid, bytes.AsSpan(168, 39));
        for (int i = 0; i < Slots; i++)
        {
            int at = FirstSlot + (i * SlotSize);
            Put(bytes, at, i == 0 ? InUse : Unused);
            Put(bytes, at + 40, (FirstKeyslot + ((ulong)i * (ulong)slotSize)) >> Sector.Shift);
            Put(bytes, at + 44, (ulong)slot.Stripes);
        }

        Put(bytes, FirstSlot + 4, (ulong)slot.Derivation.Iterations);
        slot.Derivation.Salt.CopyTo(bytes.AsSpan(FirstSlot + 8, SaltSize));
        return bytes;
    }

    /// <summary>A text that ends with a zero byte or with its field.</summary>
    /// <exception cref="DmException">EINVAL: it has other characters than such names do.</exception>
    internal static string Text(ReadOnlySpan<byte> bytes, int offset, int length)
    {
        ReadOnlySpan<byte> field = bytes.Slice(offset, length);
        int end = field.IndexOf((byte)0);
        ReadOnlySpan<byte> text = end < 0 ? field : field[..end];
        return text.IndexOfAnyExceptInRange((byte)0x21, (byte)0x7e) < 0
            ? Encoding.ASCII.GetString(text)
            : throw LuksHeader.Damaged($"the LUKS header is damaged: its text at byte {offset} is none");
    }

    private static void Put(Span<byte> bytes, int offset, ulong value) => BinaryPrimitives.WriteUInt32BigEndian(bytes[offset..], (uint)value);

    private static uint U32(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..]);
}
