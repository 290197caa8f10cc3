using System.Buffers.Binary;
using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Crypt.Iv;

/// <summary>
/// <c>tcw</c>: of TrueCrypt's CBC mode. The key ends in a seed of the vector and in one of a whitening that lies over the ciphertext; both are mixed
/// with the sector's number.
/// </summary>
internal sealed class TcwIv : IvGenerator
{
    private const int WhiteningSize = 16;

    private readonly SecretMemory _seeds; // of the vector, then of the whitening
    private readonly int _ivSize;

    public TcwIv(KeyLayout layout)
    {
        _ivSize = layout.IvSize;
        layout.Parts += 2;
        layout.ExtraSize = _ivSize + WhiteningSize;
        if (layout.SectorSize != Io.Sector.Size)
        {
            throw new DmException(Errno.EINVAL, $"crypt: tcw has sectors of {Io.Sector.Size} bytes only, not of {layout.SectorSize}");
        }

        if (layout.KeySize <= layout.ExtraSize)
        {
            throw new DmException(Errno.EINVAL, $"crypt: tcw takes {layout.ExtraSize} bytes of the key for itself, so {layout.KeySize} are too few");
        }

        _seeds = new SecretMemory(layout.ExtraSize);
    }

    /// <inheritdoc/>
    public override bool TakesData => true;

    /// <inheritdoc/>
    public override void TakeKey(ReadOnlySpan<byte> key) => key[^_seeds.Length..].CopyTo(_seeds.Span);

    /// <inheritdoc/>
    public override void WipeKey() => _seeds.Clear();

    /// <inheritdoc/>
    public override void Generate(ulong sector, Span<byte> iv)
    {
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(number, sector);
        ReadOnlySpan<byte> seed = _seeds.Span[.._ivSize];
        for (int i = 0; i < _ivSize; i++)
        {
            iv[i] = (byte)(seed[i] ^ number[i % number.Length]);
        }
    }

    /// <inheritdoc/>
    public override void AfterEncryption(ulong sector, Span<byte> ciphertext) => Whiten(sector, ciphertext);

    /// <inheritdoc/>
    public override void BeforeDecryption(ulong sector, Span<byte> iv, Span<byte> ciphertext)
    {
        Whiten(sector, ciphertext);
        Generate(sector, iv);
    }

    /// <inheritdoc/>
    public override void Dispose() => _seeds.Dispose();

    private void Whiten(ulong sector, Span<byte> data)
    {
        Span<byte> mixed = stackalloc byte[WhiteningSize];
        BinaryPrimitives.WriteUInt64LittleEndian(mixed, sector);
        BinaryPrimitives.WriteUInt64LittleEndian(mixed[8..], sector);
        Bytes.Xor(mixed, _seeds.Span[_ivSize..], mixed);

        // Four checksums of four bytes each; the outer two and the inner two make the eight bytes that lie over the sector.
        uint first = Crc.Add32(0, mixed[..4]) ^ Crc.Add32(0, mixed[12..]);
        uint second = Crc.Add32(0, mixed[4..8]) ^ Crc.Add32(0, mixed[8..12]);
        ulong whitening = first | ((ulong)second << 32);
        for (int at = 0; at < data.Length; at += sizeof(ulong))
        {
            Span<byte> word = data.Slice(at, sizeof(ulong));
            BinaryPrimitives.WriteUInt64LittleEndian(word, BinaryPrimitives.ReadUInt64LittleEndian(word) ^ whitening);
        }
    }
}
