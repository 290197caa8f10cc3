using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Modes;

/// <summary>
/// HCTR2 (P. Crowley, N. Huckleberry and E. Biggers, 2021): <c>hctr2(CIPHER)</c>. A sector is one block: every bit of the ciphertext depends on every
/// bit of the plaintext (crypto/hctr2.c).
/// </summary>
internal sealed class Hctr2 : SectorCipher
{
    private const int Block = Polyval.BlockSize; // the left part, which goes through the block cipher
    private const int TweakSize = 32;

    private readonly BlockCipher _cipher;
    private readonly SecretMemory _keys = new(2 * Block); // of the hash; what the counter mode's vector is changed by

    /// <summary>Makes one without a key, of a cipher with blocks of 16 bytes, which it disposes of.</summary>
    public Hctr2(BlockCipher cipher) => _cipher = cipher;

    /// <inheritdoc/>
    public override int IvSize => TweakSize;

    /// <inheritdoc/>
    public override int BlockSize => Block;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key)
    {
        _cipher.SetKey(key);
        _keys.Clear();
        _keys.Span[Block] = 1;
        _cipher.Encrypt(_keys.Span, _keys.Span);
    }

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv) => Pass(source, destination, iv, true);

    /// <inheritdoc/>
    public override void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv) => Pass(source, destination, iv, false);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _cipher.Dispose();
        _keys.Dispose();
    }

    private void Pass(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv, bool encrypt)
    {
        if (source.Length < Block)
        {
            throw new DmException(Errno.EINVAL, $"hctr2 takes at least {Block} bytes, not {source.Length}");
        }

        iv = iv[..TweakSize];
        Span<byte> first = stackalloc byte[Block];
        Span<byte> counter = stackalloc byte[Block];
        Vector128<byte> before = MemoryMarshal.Read<Vector128<byte>>(source) ^ Hash(source[Block..], iv);
        MemoryMarshal.Write(first, before);
        if (encrypt)
        {
            _cipher.Encrypt(first, first);
        }
        else
        {
            _cipher.Decrypt(first, first);
        }

        Vector128<byte> after = MemoryMarshal.Read<Vector128<byte>>(first);
        MemoryMarshal.Write(counter, before ^ after ^ MemoryMarshal.Read<Vector128<byte>>(_keys.Span[Block..]));
        XctrMode.Xor(_cipher, source[Block..], destination[Block..], counter);
        MemoryMarshal.Write(destination, after ^ Hash(destination[Block..source.Length], iv));
    }

    /// <summary>The hash of lengths, vector and the right part, which is filled up with a one and zeroes.</summary>
    private Vector128<byte> Hash(ReadOnlySpan<byte> right, ReadOnlySpan<byte> iv)
    {
        int whole = right.Length & -Block;
        Span<byte> block = stackalloc byte[Block];
        block.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(block, (TweakSize * 8 * 2) + (whole == right.Length ? 2u : 3u));
        Polyval hash = new(_keys.Span);
        hash.Add(block);
        hash.Add(iv);
        hash.Add(right[..whole]);
        if (whole < right.Length)
        {
            block.Clear();
            right[whole..].CopyTo(block);
            block[right.Length - whole] = 1;
            hash.Add(block);
        }

        return hash.Finish();
    }
}
