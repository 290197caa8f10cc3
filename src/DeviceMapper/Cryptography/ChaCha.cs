using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace DeviceMapper.Cryptography;

/// <summary>The ChaCha stream ciphers (RFC 8439, with 12 rounds too) and their form with long nonces, XChaCha; with the kernel's layout of vectors.</summary>
internal static class ChaCha
{
    /// <summary>Bytes of a key.</summary>
    public const int KeySize = 32;

    /// <summary>Bytes of a vector of ChaCha: the counter of blocks, then the nonce.</summary>
    public const int IvSize = 16;

    /// <summary>Bytes of a vector of XChaCha: 24 of a nonce, then the counter.</summary>
    public const int LongIvSize = 32;

    private const int StateWords = 16;
    private const int Lanes = 8; // blocks made side by side

    /// <summary>Mixes the stream of XChaCha into data.</summary>
    [SkipLocalsInit]
    public static void LongXor(ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, int rounds, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Span<byte> subkey = stackalloc byte[KeySize];
        Span<byte> shortIv = stackalloc byte[IvSize];
        DeriveKey(key, iv[..16], rounds, subkey);
        iv[24..32].CopyTo(shortIv);
        iv[16..24].CopyTo(shortIv[8..]);
        Xor(subkey, shortIv, rounds, source, destination);
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(subkey);
    }

    /// <summary>Mixes the stream into data.</summary>
    [SkipLocalsInit]
    public static void Xor(ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, int rounds, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Span<uint> state = stackalloc uint[StateWords];
        Span<Vector256<uint>> words = stackalloc Vector256<uint>[StateWords];
        Span<uint> stream = stackalloc uint[StateWords * Lanes];
        Initialize(state, key, iv);
        for (int at = 0; at < source.Length; at += StateWords * Lanes * sizeof(uint))
        {
            MakeEight(state, words, rounds, stream);
            state[12] += Lanes;
            int length = Math.Min(StateWords * Lanes * sizeof(uint), source.Length - at);
            Bytes.Xor(source.Slice(at, length), MemoryMarshal.AsBytes(stream), destination.Slice(at, length));
        }

        state.Clear();
        words.Clear();
        stream.Clear();
    }

    /// <summary>HChaCha: a key out of a key and 16 bytes of nonce.</summary>
    private static void DeriveKey(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, int rounds, Span<byte> subkey)
    {
        Span<uint> state = stackalloc uint[StateWords];
        Initialize(state, key, nonce);
        for (int i = 0; i < rounds; i += 2)
        {
            for (int column = 0; column < 4; column++)
            {
                QuarterRound(state, column, 4 + column, 8 + column, 12 + column);
            }

            for (int row = 0; row < 4; row++)
            {
                QuarterRound(state, row, 4 + ((row + 1) & 3), 8 + ((row + 2) & 3), 12 + ((row + 3) & 3));
            }
        }

        for (int i = 0; i < 4; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(subkey[(4 * i)..], state[i]);
            BinaryPrimitives.WriteUInt32LittleEndian(subkey[(16 + (4 * i))..], state[12 + i]);
        }

        state.Clear();
    }

    private static void MakeEight(ReadOnlySpan<uint> state, Span<Vector256<uint>> words, int rounds, Span<uint> stream)
    {
        for (int i = 0; i < StateWords; i++)
        {
            words[i] = Vector256.Create(state[i]);
        }

        Vector256<uint> counters = words[12] + Vector256.Create(0u, 1, 2, 3, 4, 5, 6, 7);
        words[12] = counters;
        for (int i = 0; i < rounds; i += 2)
        {
            for (int column = 0; column < 4; column++)
            {
                QuarterRound(ref words[column], ref words[4 + column], ref words[8 + column], ref words[12 + column]);
            }

            for (int row = 0; row < 4; row++)
            {
                QuarterRound(ref words[row], ref words[4 + ((row + 1) & 3)], ref words[8 + ((row + 2) & 3)], ref words[12 + ((row + 3) & 3)]);
            }
        }

        for (int i = 0; i < StateWords; i++)
        {
            Vector256<uint> sum = words[i] + (i == 12 ? counters : Vector256.Create(state[i]));
            for (int lane = 0; lane < Lanes; lane++)
            {
                stream[(lane * StateWords) + i] = sum[lane];
            }
        }
    }

    private static void Initialize(Span<uint> state, ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv)
    {
        MemoryMarshal.Cast<byte, uint>("expand 32-byte k"u8).CopyTo(state);
        for (int i = 0; i < 8; i++)
        {
            state[4 + i] = BinaryPrimitives.ReadUInt32LittleEndian(key[(4 * i)..]);
        }

        for (int i = 0; i < 4; i++)
        {
            state[12 + i] = BinaryPrimitives.ReadUInt32LittleEndian(iv[(4 * i)..]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void QuarterRound(ref Vector256<uint> a, ref Vector256<uint> b, ref Vector256<uint> c, ref Vector256<uint> d)
    {
        a += b;
        d = Rotate(d ^ a, 16);
        c += d;
        b = Rotate(b ^ c, 12);
        a += b;
        d = Rotate(d ^ a, 8);
        c += d;
        b = Rotate(b ^ c, 7);
    }

    private static Vector256<uint> Rotate(Vector256<uint> value, int bits) => (value << bits) | (value >>> (32 - bits));

    private static void QuarterRound(Span<uint> state, int a, int b, int c, int d)
    {
        state[a] += state[b];
        state[d] = BitOperations.RotateLeft(state[d] ^ state[a], 16);
        state[c] += state[d];
        state[b] = BitOperations.RotateLeft(state[b] ^ state[c], 12);
        state[a] += state[b];
        state[d] = BitOperations.RotateLeft(state[d] ^ state[a], 8);
        state[c] += state[d];
        state[b] = BitOperations.RotateLeft(state[b] ^ state[c], 7);
    }
}
