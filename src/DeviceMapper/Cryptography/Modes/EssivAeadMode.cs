using DeviceMapper.Cryptography.Digests;

namespace DeviceMapper.Cryptography.Modes;

/// <summary>
/// ESSIV over a cipher that authenticates: <c>essiv(authenc(HASH,MODE(CIPHER)),HASH)</c>. The vector, in the associated data too, is encrypted with the
/// same cipher under the hash of the key (crypto/essiv.c).
/// </summary>
/// <param name="mode">What encrypts the data.</param>
/// <param name="cipher">What encrypts the vector.</param>
/// <param name="hash">The kernel's name of the hash.</param>
internal sealed class EssivAeadMode(AeadCipher mode, BlockCipher cipher, string hash) : AeadCipher
{
    /// <inheritdoc/>
    public override int IvSize => mode.IvSize;

    /// <inheritdoc/>
    public override int BlockSize => mode.BlockSize;

    /// <inheritdoc/>
    public override int AuthenticationKeySize => mode.AuthenticationKeySize;

    /// <inheritdoc/>
    public override bool TakesTag(int size) => mode.TakesTag(size);

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
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, Span<byte> associated, Span<byte> tag)
    {
        Span<byte> iv = associated[^IvSize..];
        cipher.Encrypt(iv, iv);
        mode.Encrypt(source, destination, associated, tag);
    }

    /// <inheritdoc/>
    public override bool Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, Span<byte> associated, ReadOnlySpan<byte> tag)
    {
        Span<byte> iv = associated[^IvSize..];
        cipher.Encrypt(iv, iv);
        return mode.Decrypt(source, destination, associated, tag);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        mode.Dispose();
        cipher.Dispose();
    }
}
