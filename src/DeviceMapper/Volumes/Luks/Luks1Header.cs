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
    private const int SaltSize = 32;

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
            Digests = [new LuksDigest([.. Enumerable.Range(0, Slots)], digest, bytes.AsSpan(112, 20).ToArray())],
        };
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

    private static uint U32(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..]);
}
