namespace DeviceMapper.Cryptography.Modes;

/// <summary>Ciphertext stealing over CBC: <c>cts(cbc(CIPHER))</c> (RFC 3962). On whole blocks it exchanges the last two.</summary>
internal sealed class CtsMode(SectorCipher cbc) : SectorCipher
{
    /// <inheritdoc/>
    public override int IvSize => cbc.IvSize;

    /// <inheritdoc/>
    public override int BlockSize => cbc.BlockSize;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key) => cbc.SetKey(key);

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv)
    {
        cbc.Encrypt(source, destination, iv);
        ExchangeLastTwo(destination);
    }

    /// <inheritdoc/>
    public override void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv)
    {
        source.CopyTo(destination);
        ExchangeLastTwo(destination);
        cbc.Decrypt(destination, destination, iv);
    }

    /// <inheritdoc/>
    public override void Dispose() => cbc.Dispose();

    private void ExchangeLastTwo(Span<byte> sector)
    {
        int size = cbc.BlockSize;
        Span<byte> last = sector[^size..];
        Span<byte> before = sector[^(2 * size)..^size];
        Span<byte> kept = stackalloc byte[size];
        last.CopyTo(kept);
        before.CopyTo(last);
        kept.CopyTo(before);
    }
}
