using System.Globalization;
using System.Text.Json;

namespace DeviceMapper.Volumes.Luks;

/// <summary>Writes the JSON of a new LUKS2 header (LUKS2 On-Disk Format Specification 1.1.1, 3).</summary>
internal static class Luks2Json
{
    /// <summary>The JSON of a volume with one keyslot.</summary>
    /// <param name="header">The volume.</param>
    /// <param name="slotSize">Bytes that its keyslot takes.</param>
    /// <param name="jsonSize">Bytes that there are for the JSON.</param>
    /// <param name="keyslotsSize">Bytes that there are for keyslots.</param>
    public static byte[] Write(LuksHeader header, int slotSize, int jsonSize, ulong keyslotsSize)
    {
        using MemoryStream bytes = new();
        using (Utf8JsonWriter writer = new(bytes))
        {
            writer.WriteStartObject();
            WriteKeyslot(writer, header.Keyslots[0], slotSize);
            writer.WriteStartObject("tokens");
            writer.WriteEndObject();
            WriteSegment(writer, header.Segment);
            WriteDigest(writer, header.Digests[0]);
            writer.WriteStartObject("config");
            writer.WriteString("json_size", Text((ulong)jsonSize));
            writer.WriteString("keyslots_size", Text(keyslotsSize));
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return bytes.ToArray();
    }

    private static void WriteKeyslot(Utf8JsonWriter writer, LuksKeyslot slot, int slotSize)
    {
        writer.WriteStartObject("keyslots");
        writer.WriteStartObject(Text((ulong)slot.Number));
        writer.WriteString("type", "luks2");
        writer.WriteNumber("key_size", slot.KeySize);
        writer.WriteStartObject("af");
        writer.WriteString("type", "luks1");
        writer.WriteNumber("stripes", slot.Stripes);
        writer.WriteString("hash", slot.SplitHash);
        writer.WriteEndObject();
        writer.WriteStartObject("area");
        writer.WriteString("type", "raw");
        writer.WriteString("offset", Text(slot.Offset));
        writer.WriteString("size", Text((ulong)slotSize));
        writer.WriteString("encryption", slot.Cipher);
        writer.WriteNumber("key_size", slot.CipherKeySize);
        writer.WriteEndObject();
        writer.WriteStartObject("kdf");
        WriteDerivation(writer, slot.Derivation);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteSegment(Utf8JsonWriter writer, LuksSegment segment)
    {
        writer.WriteStartObject("segments");
        writer.WriteStartObject("0");
        writer.WriteString("type", "crypt");
        writer.WriteString("offset", Text(segment.Offset));
        writer.WriteString("size", "dynamic");
        writer.WriteString("iv_tweak", Text(segment.IvOffset));
        writer.WriteString("encryption", segment.Cipher);
        writer.WriteNumber("sector_size", segment.SectorSize);
        if (segment.Integrity is not null)
        {
            writer.WriteStartObject("integrity");
            writer.WriteString("type", segment.Integrity.Type);
            writer.WriteString("journal_encryption", "none");
            writer.WriteString("journal_integrity", "none");
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteDigest(Utf8JsonWriter writer, LuksDigest digest)
    {
        writer.WriteStartObject("digests");
        writer.WriteStartObject("0");
        WriteDerivation(writer, digest.Derivation);
        WriteNames(writer, "keyslots", digest.Keyslots);
        WriteNames(writer, "segments", [0]);
        writer.WriteBase64String("digest", digest.Value);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteDerivation(Utf8JsonWriter writer, KeyDerivation derivation)
    {
        writer.WriteString("type", derivation.Type);
        if (derivation.Type == "pbkdf2")
        {
            writer.WriteString("hash", derivation.Hash);
            writer.WriteNumber("iterations", derivation.Iterations);
        }
        else
        {
            writer.WriteNumber("time", derivation.Iterations);
            writer.WriteNumber("memory", derivation.Memory);
            writer.WriteNumber("cpus", derivation.Lanes);
        }

        writer.WriteBase64String("salt", derivation.Salt);
    }

    private static void WriteNames(Utf8JsonWriter writer, string name, IEnumerable<int> numbers)
    {
        writer.WriteStartArray(name);
        foreach (int number in numbers)
        {
            writer.WriteStringValue(Text((ulong)number));
        }

        writer.WriteEndArray();
    }

    // JSON keeps no numbers of 64 bits, so LUKS2 has them as texts.
    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);
}
