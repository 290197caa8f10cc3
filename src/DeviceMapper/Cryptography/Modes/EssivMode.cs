using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Modes;

/// <summary>
/// ESSIV: <c>essiv(MODE(CIPHER),HASH)</c>. The vector is encrypted with the same cipher under the hash of the key
/// (crypto/essiv.c).
/// </summary>
/// <param name="mode">What encrypts the data.</param>
/// <param name="cipher">What encrypts the vector.</param>
/// <param name="hash">The kernel's name of the hash.</param>
internal sealed class EssivMode(SectorCipher mode, BlockCipher cipher, string hash) : SectorCipher
{
    /// <inheritdoc/>
    public override int IvSize => mode.IvSize;

    /// <inheritdoc/>
    public override int BlockSize => mode.BlockSize;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key)
    {
        mode.SetKey(key);
        using Digest digest = Digest.Create(hash);
        using SecretMemory salt = new(digest.Size);
        digest.Hash(key, salt.Span);
        cipher.SetKey(salt.Span);
    }

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv)
    {
        Span<byte> encrypted = stackalloc byte[IvSize];
        cipher.Encrypt(iv[..IvSize], encrypted);
        mode.Encrypt(source, destination, encrypted);
    }

    /// <inheritdoc/>
    public override void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv)
    {
        Span<byte> encrypted = stackalloc byte[IvSize];
        cipher.Encrypt(iv[..IvSize], encrypted);
        mode.Decrypt(source, destination, encrypted);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        mode.Dispose();
        cipher.Dispose();
    }
}
