using System.Buffers.Binary;
using System.IO.Hashing;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Digests;

/// <summary>A checksum of the kernel's crypto API, without cryptographic strength.</summary>
internal abstract class Checksum : Digest
{
    /// <summary>Makes the checksum of a name; null where there is none.</summary>
    public static Checksum? TryCreate(string name) => name switch
    {
        "crc32c" or "crc32c-generic" => new Crc32CChecksum(uint.MaxValue),
        "crc32" or "crc32-generic" => new Crc32Checksum(0),
        "xxhash64" or "xxhash64-generic" => new XxHash64Checksum(0),
        "crct10dif" or "crct10dif-generic" => new CrcT10DifChecksum(),
        "crc64-rocksoft" or "crc64-rocksoft-generic" => new Crc64RocksoftChecksum(),
        _ => null,
    };

    /// <summary>Makes the checksum of a name that starts from a key, as the kernel has it; null where there is none.</summary>
    /// <exception cref="DmException">EINVAL: the key has not the size of the checksum.</exception>
    public static Checksum? TryCreate(string name, ReadOnlySpan<byte> key)
    {
        if (TryCreate(name) is not { } plain || plain is CrcT10DifChecksum or Crc64RocksoftChecksum)
        {
            return null;
        }

        if (key.Length != plain.Size)
        {
            throw new DmException(Errno.EINVAL, $"a key of {name} has {plain.Size} bytes, not {key.Length}");
        }

        return plain switch
        {
            Crc32CChecksum => new Crc32CChecksum(BinaryPrimitives.ReadUInt32LittleEndian(key)),
            Crc32Checksum => new Crc32Checksum(BinaryPrimitives.ReadUInt32LittleEndian(key)),
            _ => new XxHash64Checksum(BinaryPrimitives.ReadInt64LittleEndian(key)),
        };
    }

    /// <inheritdoc/>
    public sealed override void Dispose()
    {
    }

    private sealed class Crc32CChecksum(uint seed) : Checksum
    {
        public override int Size => 4;

        public override void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest) =>
            BinaryPrimitives.WriteUInt32LittleEndian(digest, ~Crc.Add32C(Crc.Add32C(seed, first), second));
    }

    /// <summary>The kernel's starts from 0 and is not inverted at the end.</summary>
    private sealed class Crc32Checksum(uint seed) : Checksum
    {
        public override int Size => 4;

        public override void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest) =>
            BinaryPrimitives.WriteUInt32LittleEndian(digest, Crc.Add32(Crc.Add32(seed, first), second));
    }

    /// <summary>The kernel's writes the number in the processor's order.</summary>
    private sealed class CrcT10DifChecksum : Checksum
    {
        public override int Size => 2;

        public override void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest) =>
            BinaryPrimitives.WriteUInt16LittleEndian(digest, Crc.AddT10Dif(Crc.AddT10Dif(0, first), second));
    }

    /// <summary>It starts from 0, and is inverted at both ends of each run of bytes.</summary>
    private sealed class Crc64RocksoftChecksum : Checksum
    {
        public override int Size => 8;

        public override void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest) =>
            BinaryPrimitives.WriteUInt64LittleEndian(digest, ~Crc.Add64Rocksoft(Crc.Add64Rocksoft(ulong.MaxValue, first), second));
    }

    /// <summary>The kernel's writes the number little endian, unlike its canonical form.</summary>
    private sealed class XxHash64Checksum(long seed) : Checksum
    {
        [ThreadStatic]
        private static XxHash64? _unseeded;

        public override int Size => 8;

        public override void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest)
        {
            XxHash64 hash = seed == 0 ? _unseeded ??= new XxHash64() : new XxHash64(seed);
            hash.Reset();
            hash.Append(first);
            hash.Append(second);
            BinaryPrimitives.WriteUInt64LittleEndian(digest, hash.GetCurrentHashAsUInt64());
        }
    }
}
