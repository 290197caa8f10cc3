using System.Buffers.Binary;
using DeviceMapper.Cryptography;
using DeviceMapper.Io;
using DeviceMapper.Native;
using DeviceMapper.Targets.Crypt.Iv;

namespace DeviceMapper.Targets.Crypt;

/// <summary>
/// The cipher of a crypt target that authenticates, with its generator of initialisation vectors. What the device below keeps for a sector is its tag
/// and, for <c>random</c>, its vector; the sector's number and the vector are authenticated too (the kernel's <c>crypt_convert_block_aead</c>).
/// </summary>
internal sealed class AuthenticatedCipher : DataCipher
{
    private readonly AeadCipher _cipher;
    private readonly int _ivSize;
    private int _tagSize;

    /// <summary>Makes the cipher, without a key yet.</summary>
    /// <param name="specification">Of the form of the kernel's crypto API.</param>
    /// <param name="sectorSize">Bytes that are encrypted at once.</param>
    /// <param name="largeIvSectors">Vectors count sectors of that size, not of 512 bytes.</param>
    /// <param name="keySize">Bytes of the key.</param>
    /// <param name="authenticationKeySize">Bytes at its end that authenticate; null where the cipher says it.</param>
    /// <exception cref="DmException">ENOENT: there is no such cipher. EINVAL: cipher, generator and size of the key do not fit.</exception>
    public AuthenticatedCipher(CipherSpecification specification, int sectorSize, bool largeIvSectors, int keySize, int? authenticationKeySize)
        : base(sectorSize, largeIvSectors)
    {
        if (specification.KeyCount != 1)
        {
            throw new DmException(Errno.EINVAL, "crypt: a cipher that authenticates has one key");
        }

        _cipher = AeadCiphers.Create(specification.Api, authenticationKeySize);
        try
        {
            KeyLayout layout = new(_cipher.IvSize, _cipher.BlockSize, null, 1, SectorSize, keySize);
            _ivSize = _cipher.IvSize == 0 ? 0 : layout.IvSize;
            Lay(layout, _ivSize > 0 ? specification.Iv : null);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    protected override int AuthenticationKeySize => _cipher.AuthenticationKeySize;

    /// <inheritdoc/>
    public override void UseTags(int used, int kept)
    {
        _tagSize = used - StoredIvSize;
        if (!_cipher.TakesTag(_tagSize))
        {
            string vector = StoredIvSize == 0 ? string.Empty : $", of {used} with the vector's {StoredIvSize}";
            throw new DmException(Errno.EINVAL, $"crypt: the cipher makes no tags of {_tagSize} bytes{vector}");
        }

        base.UseTags(used, kept);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _cipher.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override void SetCipherKeys(ReadOnlySpan<byte> key) => _cipher.SetKey(key[..Layout.CipherKeySize]);

    /// <inheritdoc/>
    protected override void EncryptRun(ReadOnlySpan<byte> source, Span<byte> destination, ulong sector, Span<byte> tags)
    {
        Span<byte> associated = stackalloc byte[sizeof(ulong) + _ivSize];
        Span<byte> iv = associated[sizeof(ulong)..];
        if (Iv is { TakesData: true })
        {
            source.CopyTo(destination);
            source = destination;
        }

        for (int at = 0; at < source.Length; at += SectorSize, sector += (ulong)SectorSize >> Sector.Shift)
        {
            ReadOnlySpan<byte> plaintext = source.Slice(at, SectorSize);
            Span<byte> ciphertext = destination.Slice(at, SectorSize);
            Span<byte> kept = tags.Slice(at / SectorSize * TagStride, TagStride);
            ulong number = sector >> IvShift;
            BinaryPrimitives.WriteUInt64LittleEndian(associated, sector - IvOffset);
            Iv?.BeforeEncryption(number, iv, ciphertext);
            iv[..StoredIvSize].CopyTo(kept[_tagSize..]);
            kept[(_tagSize + StoredIvSize)..].Clear();
            _cipher.Encrypt(plaintext, ciphertext, associated, kept[.._tagSize]);
            Iv?.AfterEncryption(number, ciphertext);
        }
    }

    /// <inheritdoc/>
    protected override int DecryptRun(Span<byte> data, ulong sector, ReadOnlySpan<byte> tags)
    {
        Span<byte> associated = stackalloc byte[sizeof(ulong) + _ivSize];
        Span<byte> iv = associated[sizeof(ulong)..];
        for (int at = 0; at < data.Length; at += SectorSize, sector += (ulong)SectorSize >> Sector.Shift)
        {
            Span<byte> block = data.Slice(at, SectorSize);
            ReadOnlySpan<byte> kept = tags.Slice(at / SectorSize * TagStride, TagStride);
            ulong number = sector >> IvShift;
            BinaryPrimitives.WriteUInt64LittleEndian(associated, sector - IvOffset);
            if (StoredIvSize > 0)
            {
                kept.Slice(_tagSize, StoredIvSize).CopyTo(iv);
            }
            else
            {
                Iv?.BeforeDecryption(number, iv, block);
            }

            if (!_cipher.Decrypt(block, block, associated, kept[.._tagSize]))
            {
                return at;
            }

            Iv?.AfterDecryption(number, block);
        }

        return -1;
    }
}
