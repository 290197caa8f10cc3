namespace DeviceMapper.Cryptography.Modes;

/// <summary>Each block for itself: <c>ecb(CIPHER)</c>. Has no initialisation vector.</summary>
internal sealed class EcbMode(BlockCipher cipher) : SectorCipher
{
    /// <inheritdoc/>
    public override int IvSize => 0;

    /// <inheritdoc/>
    public override int BlockSize => cipher.BlockSize;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key) => cipher.SetKey(key);

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv) => cipher.Encrypt(source, destination);

    /// <inheritdoc/>
    public override void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv) => cipher.Decrypt(source, destination);

    /// <inheritdoc/>
    public override void Dispose() => cipher.Dispose();
}
