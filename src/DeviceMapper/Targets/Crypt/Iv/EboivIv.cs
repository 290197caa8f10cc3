using System.Buffers.Binary;
using DeviceMapper.Cryptography;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Crypt.Iv;

/// <summary><c>eboiv</c>: the sector's offset in bytes, encrypted with the data's cipher; of BitLocker in CBC mode.</summary>
internal sealed class EboivIv : IvGenerator
{
    private readonly SectorCipher _cipher;
    private readonly ulong _sectorSize;

    public EboivIv(KeyLayout layout)
    {
        _cipher = layout.Cipher ?? throw new DmException(Errno.EINVAL, "crypt: eboiv does not go with a cipher that authenticates");
        _sectorSize = (ulong)layout.SectorSize;
        if (_cipher.BlockSize != layout.IvSize)
        {
            throw new DmException(Errno.EINVAL, $"crypt: eboiv needs a cipher whose blocks of {_cipher.BlockSize} bytes are as long as its vector of {layout.IvSize}");
        }
    }

    /// <inheritdoc/>
    public override void Generate(ulong sector, Span<byte> iv)
    {
        Span<byte> offset = stackalloc byte[iv.Length];
        offset.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(offset, sector * _sectorSize);

        // A block of zeroes, encrypted with the offset as its vector.
        iv.Clear();
        _cipher.Encrypt(iv, iv, offset);
    }
}
