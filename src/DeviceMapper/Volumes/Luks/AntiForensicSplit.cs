using System.Buffers.Binary;
using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;

namespace DeviceMapper.Volumes.Luks;

/// <summary>
/// The key of a keyslot is spread over many stripes, all of which are needed: so that a slot is gone when any part of it is overwritten (LUKS1
/// specification, 2.4).
/// </summary>
internal static class AntiForensicSplit
{
    /// <summary>Spreads a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="stripes">So many times the key's size.</param>
    /// <param name="hash">What spreads it.</param>
    public static void Split(ReadOnlySpan<byte> key, Span<byte> stripes, Digest hash)
    {
        Span<byte> random = stripes[..^key.Length];
        Span<byte> last = stripes[^key.Length..];
        System.Security.Cryptography.RandomNumberGenerator.Fill(random);
        Mix(random, last, hash);
        Add(last, key);
    }

    /// <summary>Puts a key together again.</summary>
    /// <param name="stripes">So many times the key's size.</param>
    /// <param name="key">The key.</param>
    /// <param name="hash">What spreads it.</param>
    public static void Merge(ReadOnlySpan<byte> stripes, Span<byte> key, Digest hash)
    {
        Mix(stripes[..^key.Length], key, hash);
        Add(key, stripes[^key.Length..]);
    }

    private static void Mix(ReadOnlySpan<byte> stripes, Span<byte> mixed, Digest hash)
    {
        mixed.Clear();
        for (int at = 0; at < stripes.Length; at += mixed.Length)
        {
            Add(mixed, stripes.Slice(at, mixed.Length));
            Diffuse(mixed, hash);
        }
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
