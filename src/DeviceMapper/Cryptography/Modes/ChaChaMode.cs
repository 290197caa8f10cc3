using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Modes;

/// <summary>The stream ciphers <c>chacha20</c>, <c>xchacha20</c> and <c>xchacha12</c>. A sector written twice with one vector shows how the two differ.</summary>
internal sealed class ChaChaMode : SectorCipher
{
    private readonly SecretMemory _key = new(ChaCha.KeySize);
    private readonly string _name;
    private readonly int _rounds;
    private readonly bool _long;

    private ChaChaMode(string name, int rounds, bool isLong)
    {
        _name = name;
        _rounds = rounds;
        _long = isLong;
    }

    /// <inheritdoc/>
    public override int IvSize => _long ? ChaCha.LongIvSize : ChaCha.IvSize;

    /// <inheritdoc/>
    public override int BlockSize => 1;

    /// <summary>Makes the cipher of a name; null where it is none of these.</summary>
    public static ChaChaMode? TryCreate(string name) => name switch
    {
        "chacha20" or "chacha20-generic" => new(name, 20, false),
        "xchacha20" or "xchacha20-generic" => new(name, 20, true),
        "xchacha12" or "xchacha12-generic" => new(name, 12, true),
        _ => null,
    };

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != ChaCha.KeySize)
        {
            throw new DmException(Errno.EINVAL, $"{_name} takes keys of {ChaCha.KeySize} bytes, not of {key.Length}");
        }

        key.CopyTo(_key.Span);
    }

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv)
    {
        if (_long)
        {
            ChaCha.LongXor(_key.Span, iv, _rounds, source, destination);
        }
        else
        {
            ChaCha.Xor(_key.Span, iv, _rounds, source, destination);
        }
    }

    /// <inheritdoc/>
    public override void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv) => Encrypt(source, destination, iv);

    /// <inheritdoc/>
    public override void Dispose() => _key.Dispose();
}
