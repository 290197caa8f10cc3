using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Modes;

/// <summary>
/// Adiantum (P. Crowley and E. Biggers, 2018): <c>adiantum(xchacha12,aes)</c>. A sector is one block: every bit of the ciphertext depends on
/// every bit of the plaintext.
/// </summary>
internal sealed class Adiantum : SectorCipher
{
    private const int Block = 16; // the right part, which goes through the block cipher
    private const int CipherKeySize = 32;
    private const int HeaderKey = 0; // offsets in the key of the hash
    private const int PolyKey = 16;

    private readonly int _rounds;
    private readonly BlockCipher _cipher;
    private readonly SecretMemory _streamKey = new(ChaCha.KeySize);
    private readonly SecretMemory _hashKey = new(PolyKey + NhPoly1305.KeySize);

    private Adiantum(int rounds, BlockCipher cipher)
    {
        _rounds = rounds;
        _cipher = cipher;
    }

    /// <inheritdoc/>
    public override int IvSize => 32;

    /// <inheritdoc/>
    public override int BlockSize => Block;

    /// <summary>Makes one of a stream cipher and a block cipher.</summary>
    /// <exception cref="DmException">ENOENT: there is no such cipher.</exception>
    public static Adiantum Create(string stream, string block)
    {
        int rounds = stream switch
        {
            "xchacha12" => 12,
            "xchacha20" => 20,
            _ => throw new DmException(Errno.ENOENT, $"there is no stream cipher '{stream}' for adiantum: xchacha12, xchacha20"),
        };
        return new Adiantum(rounds, Ciphers.CreateBlockCipher(block, Block));
    }

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != ChaCha.KeySize)
        {
            throw new DmException(Errno.EINVAL, $"adiantum takes keys of {ChaCha.KeySize} bytes, not of {key.Length}");
        }

        // The other keys are the stream of nonce 1.
        key.CopyTo(_streamKey.Span);
        using SecretMemory derived = new(CipherKeySize + _hashKey.Length);
        Span<byte> nonce = stackalloc byte[ChaCha.LongIvSize];
        nonce.Clear();
        nonce[0] = 1;
        ChaCha.LongXor(key, nonce, _rounds, derived.Span, derived.Span);
        _cipher.SetKey(derived.Span[..CipherKeySize]);
        derived.Span[CipherKeySize..].CopyTo(_hashKey.Span);
    }

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv) => Pass(source, destination, iv, true);

    /// <inheritdoc/>
    public override void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv) => Pass(source, destination, iv, false);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _cipher.Dispose();
        _streamKey.Dispose();
        _hashKey.Dispose();
    }

    [SkipLocalsInit]
    private void Pass(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv, bool encrypt)
    {
        int left = source.Length - Block;
        UInt128 header = HashHeader(left, iv);
        Span<byte> streamIv = stackalloc byte[ChaCha.LongIvSize];
        Span<byte> middle = streamIv[..Block];
        streamIv[Block..].Clear();
        streamIv[Block] = 1;

        UInt128 right = BinaryPrimitives.ReadUInt128LittleEndian(source[left..]) + header + Hash(source[..left]);
        BinaryPrimitives.WriteUInt128LittleEndian(middle, right);
        if (encrypt)
        {
            _cipher.Encrypt(middle, middle);
        }

        ChaCha.LongXor(_streamKey.Span, streamIv, _rounds, source[..left], destination[..left]);
        if (!encrypt)
        {
            _cipher.Decrypt(middle, middle);
        }

        right = BinaryPrimitives.ReadUInt128LittleEndian(middle) - header - Hash(destination[..left]);
        BinaryPrimitives.WriteUInt128LittleEndian(destination[left..], right);
    }

    private UInt128 HashHeader(int length, ReadOnlySpan<byte> iv)
    {
        Span<byte> bits = stackalloc byte[Poly1305.BlockSize];
        BinaryPrimitives.WriteUInt128LittleEndian(bits, (uint)length * 8);
        Poly1305 poly = new(_hashKey.Span[HeaderKey..]);
        poly.Add(bits);
        poly.Add(iv[..32]);
        return poly.Finish();
    }

    private UInt128 Hash(ReadOnlySpan<byte> message) => NhPoly1305.Hash(message, _hashKey.Span[PolyKey..]);
}
