using DeviceMapper.Native;

namespace DeviceMapper.Cryptography;

/// <summary>No encryption at all: <c>cipher_null</c>. Has no key.</summary>
internal sealed class NullBlockCipher : BlockCipher
{
    /// <inheritdoc/>
    public override int BlockSize => 1;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key)
    {
        if (!key.IsEmpty)
        {
            throw new DmException(Errno.EINVAL, $"cipher_null takes no key, and '-' says so; {key.Length} bytes were given");
        }
    }

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination) => source.CopyTo(destination);

    /// <inheritdoc/>
    public override void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination) => source.CopyTo(destination);

    /// <inheritdoc/>
    public override void Dispose()
    {
    }
}
