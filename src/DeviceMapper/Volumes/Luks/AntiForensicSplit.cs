using System.Buffers.Binary;
using DeviceMapper.Cryptography;

namespace DeviceMapper.Volumes.Luks;

/// <summary>
/// The key of a keyslot is spread over many stripes, all of which are needed: so that a slot is gone when any part of it is overwritten (LUKS1
/// specification, 2.4).
/// </summary>
internal static class AntiForensicSplit
{
    /// <summary>Puts a key together again.</summary>
    /// <param name="stripes">So many times the key's size.</param>
    /// <param name="key">The key.</param>
    /// <param name="hash">What spreads it.</param>
    public static void Merge(ReadOnlySpan<byte> stripes, Span<byte> key, Digest hash)
    {
        key.Clear();
        int last = stripes.Length - key.Length;
        for (int at = 0; at < last; at += key.Length)
        {
            Add(key, stripes.Slice(at, key.Length));
            Diffuse(key, hash);
        }

        Add(key, stripes[last..]);
    }

    private static void Add(Span<byte> key, ReadOnlySpan<byte> stripe)
    {
        for (int i = 0; i < key.Length; i++)
        {
            key[i] ^= stripe[i];
        }
    }

    private static void Diffuse(Span<byte> key, Digest hash)
    {
        Span<byte> number = stackalloc byte[sizeof(uint)];
        Span<byte> digest = stackalloc byte[Digest.LargestSize];
        for (int i = 0; i * hash.Size < key.Length; i++)
        {
            Span<byte> part = key[(i * hash.Size)..];
            part = part[..Math.Min(part.Length, hash.Size)];
            BinaryPrimitives.WriteInt32BigEndian(number, i);
            hash.Hash(number, part, digest);
            digest[..part.Length].CopyTo(part);
        }

        System.Security.Cryptography.CryptographicOperations.ZeroMemory(digest);
    }
}
