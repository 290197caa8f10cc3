using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using DeviceMapper.Cryptography;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Crypt.Iv;

/// <summary>
/// <c>elephant</c>: BitLocker's diffuser (N. Ferguson, "AES-CBC + Elephant diffuser", 2006) with <c>eboiv</c>. The second half of the key
/// makes a sector key that is mixed into the plaintext, and two diffusers spread every bit over the sector.
/// </summary>
internal sealed class ElephantIv : IvGenerator
{
    private const int LargestKey = 32;
    private const int CyclesA = 5;
    private const int CyclesB = 3;

    private readonly EboivIv _eboiv;
    private readonly BlockCipher _aes = Ciphers.CreateBlockCipher("aes");
    private readonly int _keySize;
    private readonly int _sectorSize;

    public ElephantIv(KeyLayout layout)
    {
        layout.Parts = 2;
        layout.ExtraSize = _keySize = layout.KeySize / 2;
        _sectorSize = layout.SectorSize;
        if (_keySize > LargestKey)
        {
            throw new DmException(Errno.EINVAL, $"crypt: the half of the key that elephant takes has at most {LargestKey} bytes, not {_keySize}");
        }

        _eboiv = new EboivIv(layout);
    }

    /// <inheritdoc/>
    public override bool TakesData => true;

    private static ReadOnlySpan<int> RotationsA => [9, 0, 13, 0];

    private static ReadOnlySpan<int> RotationsB => [0, 10, 0, 25];

    /// <inheritdoc/>
    public override void TakeKey(ReadOnlySpan<byte> key) => _aes.SetKey(key[^_keySize..]);

    /// <inheritdoc/>
    public override void WipeKey() => _aes.SetKey(new byte[_keySize]);

    /// <inheritdoc/>
    public override void Generate(ulong sector, Span<byte> iv) => _eboiv.Generate(sector, iv);

    /// <inheritdoc/>
    public override void BeforeEncryption(ulong sector, Span<byte> iv, Span<byte> plaintext)
    {
        MixSectorKey(sector, plaintext);
        Span<uint> words = MemoryMarshal.Cast<byte, uint>(plaintext);
        int n = words.Length;
        for (int i = (CyclesA * n) - 1; i >= 0; i--)
        {
            int at = i % n;
            words[at] -= words[(at + n - 2) % n] ^ BitOperations.RotateLeft(words[(at + n - 5) % n], RotationsA[at & 3]);
        }

        for (int i = (CyclesB * n) - 1; i >= 0; i--)
        {
            int at = i % n;
            words[at] -= words[(at + 2) % n] ^ BitOperations.RotateLeft(words[(at + 5) % n], RotationsB[at & 3]);
        }

        Generate(sector, iv);
    }

    /// <inheritdoc/>
    public override void AfterDecryption(ulong sector, Span<byte> plaintext)
    {
        Span<uint> words = MemoryMarshal.Cast<byte, uint>(plaintext);
        int n = words.Length;
        for (int i = 0; i < CyclesB * n; i++)
        {
            int at = i % n;
            words[at] += words[(at + 2) % n] ^ BitOperations.RotateLeft(words[(at + 5) % n], RotationsB[at & 3]);
        }

        for (int i = 0; i < CyclesA * n; i++)
        {
            int at = i % n;
            words[at] += words[(at + n - 2) % n] ^ BitOperations.RotateLeft(words[(at + n - 5) % n], RotationsA[at & 3]);
        }

        MixSectorKey(sector, plaintext);
    }

    /// <inheritdoc/>
    public override void Dispose() => _aes.Dispose();

    private void MixSectorKey(ulong sector, Span<byte> data)
    {
        // The offset encrypted, and the offset with a mark in its last byte encrypted.
        Span<byte> key = stackalloc byte[32];
        key.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(key, sector * (ulong)_sectorSize);
        key[..16].CopyTo(key[16..]);
        key[31] = 0x80;
        _aes.Encrypt(key, key);
        for (int at = 0; at < data.Length; at += key.Length)
        {
            Bytes.Xor(key, data[at..], data[at..]);
        }
    }
}
