using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace DeviceMapper.Volumes.Luks;

/// <summary>
/// A header of LUKS2: 4096 bytes, big endian, then JSON; twice, of which the newer one that is whole counts (LUKS2 On-Disk Format Specification
/// 1.1.1).
/// </summary>
internal static class Luks2Header
{
    private const int BinarySize = 4096;
    private const int SmallestSize = 16 << 10; // also where the second one may lie, at the earliest
    private const int LargestSize = 4 << 20;
    private const int ChecksumAt = 448;
    private const int ChecksumSize = 64;

    // Those that are options of crypt.
    private static readonly string[] _cryptFlags = ["allow-discards", "same-cpu-crypt", "submit-from-crypt-cpus", "no-read-workqueue", "no-write-workqueue"];

    /// <summary>Where the first keyslot of a new volume lies, in bytes: behind two headers.</summary>
    public const ulong FirstKeyslot = 2 * SmallestSize;

    /// <summary>Where the data of a new volume starts, in bytes, as cryptsetup's.</summary>
    public const ulong Reserved = 16 << 20;

    /// <summary>Reads the newer one that is whole; null where there is none.</summary>
    public static LuksHeader? TryRead(Stream device)
    {
        Found? newest = TryFind(device, 0, "LUKS"u8);
        for (ulong offset = SmallestSize; offset <= LargestSize; offset *= 2)
        {
            if (TryFind(device, offset, "SKUL"u8) is { } second && (newest is null || second.Sequence > newest.Sequence))
            {
                newest = second;
            }
        }

        return newest is null ? null : Parse(newest.Bytes);
    }

    /// <summary>Writes both headers of a new volume.</summary>
    public static void Write(Stream device, LuksHeader header, int slotSize)
    {
        byte[] json = Luks2Json.Write(header, slotSize, SmallestSize - BinarySize, Reserved - FirstKeyslot);
        foreach (ulong offset in (ulong[])[0, SmallestSize])
        {
            byte[] bytes = new byte[SmallestSize];
            LuksHeader.Magic.CopyTo(bytes);
            if (offset != 0)
            {
                "SKUL"u8.CopyTo(bytes);
            }

            bytes[7] = 2;
            BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), SmallestSize);
            BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(16), 1); // the first of its changes
            Encoding.UTF8.GetBytes(header.Label, bytes.AsSpan(24, 47));
            "sha256"u8.CopyTo(bytes.AsSpan(72));
            RandomNumberGenerator.Fill(bytes.AsSpan(104, 64));
            Encoding.ASCII.GetBytes(header.Uuid, bytes.AsSpan(168, 39));
            BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(256), offset);
            json.CopyTo(bytes, BinarySize);
            SHA256.HashData(bytes).CopyTo(bytes, ChecksumAt);
            device.Position = (long)offset;
            device.Write(bytes);
        }
    }

    private static Found? TryFind(Stream device, ulong offset, ReadOnlySpan<byte> magic)
    {
        ReadOnlySpan<byte> start = LuksHeader.ReadAt(device, offset, BinarySize);
        ulong size = BinaryPrimitives.ReadUInt64BigEndian(start[8..]);
        if (!start[..4].SequenceEqual(magic)
            || !start[4..8].SequenceEqual((ReadOnlySpan<byte>)[0xba, 0xbe, 0, 2])
            || BinaryPrimitives.ReadUInt64BigEndian(start[256..]) != offset
            || size is < SmallestSize or > LargestSize
            || !ulong.IsPow2(size))
        {
            return null;
        }

        byte[] bytes = LuksHeader.ReadAt(device, offset, (int)size);
        byte[] checksum = bytes.AsSpan(ChecksumAt, ChecksumSize).ToArray();
        bytes.AsSpan(ChecksumAt, ChecksumSize).Clear();
        byte[]? computed = Encoding.ASCII.GetString(bytes, 72, 32).TrimEnd('\0') switch
        {
            "sha256" => SHA256.HashData(bytes),
            "sha384" => SHA384.HashData(bytes),
            "sha512" => SHA512.HashData(bytes),
            "sha1" => SHA1.HashData(bytes),
            _ => null,
        };
        return computed is not null && checksum.AsSpan(0, computed.Length).SequenceEqual(computed)
            ? new Found(BinaryPrimitives.ReadUInt64BigEndian(start[16..]), bytes)
            : null;
    }

    private static LuksHeader Parse(byte[] bytes)
    {
        ReadOnlySpan<byte> area = bytes.AsSpan(BinarySize);
        int end = area.IndexOf((byte)0);
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes.AsMemory(BinarySize, end < 0 ? area.Length : end));
            JsonElement root = document.RootElement;
            (IReadOnlyList<string> flags, IEnumerable<string> requirements) = ReadConfig(root);
            foreach (string requirement in requirements)
            {
                throw LuksHeader.Damaged($"the volume needs '{requirement}', which udm does not have");
            }

            return new LuksHeader
            {
                Version = 2,
                Uuid = Luks1Header.Text(bytes, 168, 40),
                Label = Encoding.UTF8.GetString(bytes, 24, 48).TrimEnd('\0'),
                Segment = ReadSegment(root.GetProperty("segments")),
                Keyslots = ReadKeyslots(root.GetProperty("keyslots")),
                Digests = ReadDigests(root.GetProperty("digests")),
                Options = [.. flags.Where(_cryptFlags.Contains).Select(flag => flag.Replace('-', '_'))],
                HasJournal = !flags.Contains("no-journal"),
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException or OverflowException)
        {
            throw LuksHeader.Damaged($"the JSON of the LUKS2 header is damaged: {e.Message}", e);
        }
    }

    private static (IReadOnlyList<string> Flags, IEnumerable<string> Requirements) ReadConfig(JsonElement root)
    {
        List<string> flags = [];
        List<string> requirements = [];
        if (root.TryGetProperty("config", out JsonElement config))
        {
            if (config.TryGetProperty("flags", out JsonElement given))
            {
                flags.AddRange(given.EnumerateArray().Select(TextOf));
            }

            if (config.TryGetProperty("requirements", out JsonElement required) && required.TryGetProperty("mandatory", out JsonElement mandatory))
            {
                requirements.AddRange(mandatory.EnumerateArray().Select(TextOf));
            }
        }

        return (flags, requirements);
    }

    private static LuksSegment ReadSegment(JsonElement segments)
    {
        if (segments.EnumerateObject().Count() != 1)
        {
            throw LuksHeader.Damaged("the volume does not have one segment of data, but several or none, which udm does not have");
        }

        JsonElement segment = segments.EnumerateObject().First().Value;
        string type = TextOf(segment.GetProperty("type"));
        if (type != "crypt")
        {
            throw LuksHeader.Damaged($"the volume's segment is of type '{type}', which udm does not have");
        }

        string size = TextOf(segment.GetProperty("size"));
        ulong offset = NumberOf(segment.GetProperty("offset"));
        int sectorSize = segment.GetProperty("sector_size").GetInt32();
        ulong? bytes = size == "dynamic" ? null : NumberOf(segment.GetProperty("size"));
        bool possible = sectorSize is >= 512 and <= 4096 && int.IsPow2(sectorSize) && offset < LuksHeader.LargestOffset;
        return possible && offset % 512 == 0 && (bytes ?? 0) % 512 == 0
            ? new LuksSegment(offset, bytes, NumberOf(segment.GetProperty("iv_tweak")), WordOf(segment.GetProperty("encryption")), sectorSize, ReadIntegrity(segment))
            : throw LuksHeader.Damaged("the LUKS2 header is damaged: its segment has impossible sizes");
    }

    private static LuksIntegrity? ReadIntegrity(JsonElement segment)
    {
        if (!segment.TryGetProperty("integrity", out JsonElement integrity))
        {
            return null;
        }

        foreach (string journal in (string[])["journal_encryption", "journal_integrity"])
        {
            if (integrity.TryGetProperty(journal, out JsonElement value) && TextOf(value) != "none")
            {
                throw LuksHeader.Damaged($"the volume's {journal} is '{TextOf(value)}', which udm does not have");
            }
        }

        int? keySize = integrity.TryGetProperty("key_size", out JsonElement size) ? size.GetInt32() : null;
        return new LuksIntegrity(WordOf(integrity.GetProperty("type")), keySize).Checked();
    }

    /// <summary>Those of a type that is known, the preferred ones first; those of priority 0 are only used when they are asked for.</summary>
    private static List<LuksKeyslot> ReadKeyslots(JsonElement keyslots)
    {
        List<(int Priority, LuksKeyslot Slot)> found = [];
        foreach (JsonProperty property in keyslots.EnumerateObject())
        {
            JsonElement slot = property.Value;
            int priority = slot.TryGetProperty("priority", out JsonElement given) ? given.GetInt32() : 1;
            if (TextOf(slot.GetProperty("type")) != "luks2" || priority == 0)
            {
                continue;
            }

            JsonElement split = slot.GetProperty("af");
            JsonElement area = slot.GetProperty("area");
            found.Add((priority, new LuksKeyslot(
                int.Parse(property.Name, CultureInfo.InvariantCulture),
                slot.GetProperty("key_size").GetInt32(),
                split.GetProperty("stripes").GetInt32(),
                WordOf(split.GetProperty("hash")),
                NumberOf(area.GetProperty("offset")),
                WordOf(area.GetProperty("encryption")),
                area.GetProperty("key_size").GetInt32(),
                ReadDerivation(slot.GetProperty("kdf"))).Checked()));
        }

        return [.. found.OrderByDescending(f => f.Priority).ThenBy(f => f.Slot.Number).Select(f => f.Slot)];
    }

    private static KeyDerivation ReadDerivation(JsonElement kdf)
    {
        string type = WordOf(kdf.GetProperty("type"));
        byte[] salt = kdf.GetProperty("salt").GetBytesFromBase64();
        return type == "pbkdf2"
            ? KeyDerivation.Pbkdf2(WordOf(kdf.GetProperty("hash")), kdf.GetProperty("iterations").GetInt32(), salt)
            : new KeyDerivation(type, "", Integer("time"), Integer("memory"), Integer("cpus"), salt);

        int Integer(string name) => kdf.GetProperty(name).GetInt32();
    }

    private static List<LuksDigest> ReadDigests(JsonElement digests)
    {
        List<LuksDigest> found = [];
        foreach (JsonProperty property in digests.EnumerateObject())
        {
            JsonElement digest = property.Value;
            if (digest.GetProperty("segments").GetArrayLength() > 0)
            {
                byte[] value = digest.GetProperty("digest").GetBytesFromBase64();
                int[] keyslots = [.. digest.GetProperty("keyslots").EnumerateArray().Select(k => int.Parse(TextOf(k), CultureInfo.InvariantCulture))];
                found.Add(value.Length >= 20
                    ? new LuksDigest(keyslots, ReadDerivation(digest), value)
                    : throw LuksHeader.Damaged("the LUKS2 header is damaged: a digest is too short"));
            }
        }

        return found;
    }

    private static string TextOf(JsonElement element) => element.GetString() ?? throw new FormatException("a text is null");

    // What becomes a word of a table's line.
    private static string WordOf(JsonElement element) =>
        TextOf(element) is var text && text.All(c => c is > ' ' and <= '~' and not '\\') ? text : throw new FormatException("a name has blanks");

    private static ulong NumberOf(JsonElement element) => ulong.Parse(TextOf(element), NumberStyles.None, CultureInfo.InvariantCulture);

    private sealed record Found(ulong Sequence, byte[] Bytes);
}
