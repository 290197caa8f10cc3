using System.Buffers.Binary;
using System.IO.Hashing;

namespace DeviceMapper.Cryptography;

/// <summary>A checksum of the kernel's crypto API, without cryptographic strength.</summary>
internal abstract class Checksum : Digest
{
    /// <summary>Makes the checksum of a name; null where there is none.</summary>
    public static Checksum? TryCreate(string name) => name switch
    {
        "crc32c" or "crc32c-generic" => new Crc32CChecksum(),
        "crc32" or "crc32-generic" => new Crc32Checksum(),
        "xxhash64" or "xxhash64-generic" => new XxHash64Checksum(),
        _ => null,
    };

    /// <inheritdoc/>
    public sealed override void Dispose()
    {
    }

    private sealed class Crc32CChecksum : Checksum
    {
        public override int Size => 4;

        public override void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest) =>
            BinaryPrimitives.WriteUInt32LittleEndian(digest, ~Crc.Add32C(Crc.Add32C(uint.MaxValue, first), second));
    }

    /// <summary>The kernel's starts from 0 and is not inverted at the end.</summary>
    private sealed class Crc32Checksum : Checksum
    {
        public override int Size => 4;

        public override void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest) =>
            BinaryPrimitives.WriteUInt32LittleEndian(digest, Crc.Add32(Crc.Add32(0, first), second));
    }

    /// <summary>The kernel's writes the number little endian, unlike its canonical form.</summary>
    private sealed class XxHash64Checksum : Checksum
    {
        [ThreadStatic]
        private static XxHash64? _hash;

        public override int Size => 8;

        public override void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest)
        {
            XxHash64 hash = _hash ??= new XxHash64();
            hash.Reset();
            hash.Append(first);
            hash.Append(second);
            BinaryPrimitives.WriteUInt64LittleEndian(digest, hash.GetCurrentHashAsUInt64());
        }
    }
}
