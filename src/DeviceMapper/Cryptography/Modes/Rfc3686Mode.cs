using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Modes;

/// <summary>Counter mode as IPsec has it: <c>rfc3686(ctr(CIPHER))</c>. A counter is four bytes of the key, the vector, and a number from 1.</summary>
internal sealed class Rfc3686Mode(SectorCipher ctr) : SectorCipher
{
    private const int NonceSize = 4; // at the end of the key
    private const int CounterSize = 16;

    private readonly SecretMemory _nonce = new(NonceSize);

    /// <inheritdoc/>
    public override int IvSize => 8;

    /// <inheritdoc/>
    public override int BlockSize => 1;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key)
    {
        if (key.Length < NonceSize)
        {
            throw new DmException(Errno.EINVAL, $"rfc3686 takes the cipher's key and {NonceSize} bytes, not {key.Length} in all");
        }

        ctr.SetKey(key[..^NonceSize]);
        key[^NonceSize..].CopyTo(_nonce.Span);
    }

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv)
    {
        Span<byte> counter = stackalloc byte[CounterSize];
        _nonce.Span.CopyTo(counter);
        iv[..IvSize].CopyTo(counter[NonceSize..]);
        counter[^1] = 1;
        ctr.Encrypt(source, destination, counter);
    }

    /// <inheritdoc/>
    public override void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv) => Encrypt(source, destination, iv);

    /// <inheritdoc/>
    public override void Dispose()
    {
        ctr.Dispose();
        _nonce.Dispose();
    }
}
