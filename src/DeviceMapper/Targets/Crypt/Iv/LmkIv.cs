using System.Buffers.Binary;
using DeviceMapper.Cryptography;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Crypt.Iv;

/// <summary>
/// <c>lmk</c>: of loop-AES with 64 keys. The vector is a hash of all blocks of the plaintext but the first, and of the sector's number. A key of
/// one part more than ciphers (version 3) has a seed in that part.
/// </summary>
internal sealed class LmkIv : IvGenerator
{
    private const int BlockSize = 16; // of the plaintext that is not hashed: the first block gets the vector instead
    private const int SeedSize = 64;
    private const int SeedKeySize = 16; // of the seed that comes from the key; the rest is zeroes

    private readonly SecretMemory? _seed;
    private readonly int _seedOffset;
    private readonly int _ivSize;

    public LmkIv(KeyLayout layout)
    {
        if (layout.KeySize % layout.Parts != 0)
        {
            layout.Parts++;
            layout.ExtraSize = layout.KeySize / layout.Parts;
            _seed = new SecretMemory(SeedSize);
            _seedOffset = layout.KeySize / layout.Parts * layout.Ciphers;
        }

        _ivSize = layout.CipherIvSize;
        if (layout.SectorSize != Io.Sector.Size)
        {
            _seed?.Dispose();
            throw new DmException(Errno.EINVAL, $"crypt: lmk has sectors of {Io.Sector.Size} bytes only, not of {layout.SectorSize}");
        }
    }

    /// <inheritdoc/>
    public override bool TakesData => true;

    /// <inheritdoc/>
    public override void TakeKey(ReadOnlySpan<byte> key)
    {
        if (_seed is not null)
        {
            ReadOnlySpan<byte> seed = key[_seedOffset..];
            seed[..Math.Min(SeedKeySize, seed.Length)].CopyTo(_seed.Span);
        }
    }

    /// <inheritdoc/>
    public override void WipeKey() => _seed?.Clear();

    /// <inheritdoc/>
    public override void Generate(ulong sector, Span<byte> iv) => iv.Clear();

    /// <inheritdoc/>
    public override void BeforeEncryption(ulong sector, Span<byte> iv, Span<byte> plaintext) => Hash(sector, plaintext, iv);

    /// <inheritdoc/>
    public override void AfterDecryption(ulong sector, Span<byte> plaintext)
    {
        // It was decrypted with a vector of zeroes, since the true one depends on what came out.
        Span<byte> iv = stackalloc byte[16];
        Hash(sector, plaintext, iv);
        Bytes.Xor(iv[.._ivSize], plaintext, plaintext);
    }

    /// <inheritdoc/>
    public override void Dispose() => _seed?.Dispose();

    private void Hash(ulong sector, ReadOnlySpan<byte> data, Span<byte> iv)
    {
        Md5Compression md5 = new();
        if (_seed is not null)
        {
            md5.Add(_seed.Span);
        }

        // Blocks 1 to 31, and in place of block 0 at the end the sector's number of 56 bits, as loop-AES numbers it.
        Span<byte> tail = stackalloc byte[Md5Compression.BlockSize];
        md5.Add(data[BlockSize..^(Md5Compression.BlockSize - BlockSize)]);
        data[^(Md5Compression.BlockSize - BlockSize)..].CopyTo(tail);
        Span<byte> number = tail[^BlockSize..];
        BinaryPrimitives.WriteUInt32LittleEndian(number, (uint)sector);
        BinaryPrimitives.WriteUInt32LittleEndian(number[4..], ((uint)(sector >> 32) & 0x00ffffff) | 0x80000000);
        BinaryPrimitives.WriteUInt32LittleEndian(number[8..], 4024);
        BinaryPrimitives.WriteUInt32LittleEndian(number[12..], 0);
        md5.Add(tail);
        Span<byte> state = stackalloc byte[16];
        md5.CopyTo(state);
        state[..Math.Min(iv.Length, state.Length)].CopyTo(iv);
    }
}
