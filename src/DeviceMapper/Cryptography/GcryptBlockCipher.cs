using DeviceMapper.Native;

namespace DeviceMapper.Cryptography;

/// <summary>Blocks of a cipher of libgcrypt, each for itself.</summary>
internal sealed unsafe class GcryptBlockCipher : BlockCipher
{
    private const int Ecb = 1; // GCRY_CIPHER_MODE_ECB
    private readonly GcryptAlgorithm _algorithm;
    private readonly HandlePool _handles;
    private SecretMemory? _key;

    public GcryptBlockCipher(GcryptAlgorithm algorithm)
    {
        LibGcrypt.Load(algorithm.Name);
        _algorithm = algorithm;
        _handles = new HandlePool(() => _algorithm.Open(Ecb, _key!.Span), LibGcrypt.Close);
    }

    /// <inheritdoc/>
    public override int BlockSize => _algorithm.BlockSize;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key)
    {
        _algorithm.CheckKey(key.Length);
        nint handle = _algorithm.Open(Ecb, key);
        Dispose();
        _key = new SecretMemory(key);
        _handles.Give(handle);
    }

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        nint handle = _handles.Take();
        fixed (byte* from = source, to = destination)
        {
            LibGcrypt.Encrypt(handle, to, (nuint)source.Length, from == to ? null : from, from == to ? 0 : (nuint)source.Length);
        }

        _handles.Give(handle);
    }

    /// <inheritdoc/>
    public override void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        nint handle = _handles.Take();
        fixed (byte* from = source, to = destination)
        {
            LibGcrypt.Decrypt(handle, to, (nuint)source.Length, from == to ? null : from, from == to ? 0 : (nuint)source.Length);
        }

        _handles.Give(handle);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _handles.Dispose();
        _key?.Dispose();
    }
}
