using DeviceMapper.Native;

namespace DeviceMapper.Cryptography;

/// <summary>A cipher of libgcrypt in one of the modes that it has itself, and runs over many blocks at once.</summary>
internal sealed unsafe class GcryptMode : SectorCipher
{
    /// <summary>GCRY_CIPHER_MODE_CBC.</summary>
    public const int Cbc = 3;

    /// <summary>GCRY_CIPHER_MODE_CTR.</summary>
    public const int Ctr = 6;

    /// <summary>GCRY_CIPHER_MODE_XTS.</summary>
    public const int Xts = 13;

    private readonly GcryptAlgorithm _algorithm;
    private readonly int _mode;
    private readonly HandlePool _handles;
    private SecretMemory? _key;

    public GcryptMode(GcryptAlgorithm algorithm, int mode)
    {
        LibGcrypt.Load(algorithm.Name);
        _algorithm = algorithm;
        _mode = mode;
        _handles = new HandlePool(() => _algorithm.Open(_mode, _key!.Span), LibGcrypt.Close);
    }

    /// <inheritdoc/>
    public override int IvSize => _algorithm.BlockSize;

    /// <inheritdoc/>
    public override int BlockSize => _mode == Ctr ? 1 : _algorithm.BlockSize;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key)
    {
        if (_mode == Xts && key.Length % 2 != 0)
        {
            throw new DmException(Errno.EINVAL, $"a key of xts has two halves, and {key.Length} bytes do not");
        }

        _algorithm.CheckKey(_mode == Xts ? key.Length / 2 : key.Length);
        nint handle = _algorithm.Open(_mode, key);
        Dispose();
        _key = new SecretMemory(key);
        _handles.Give(handle);
    }

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv)
    {
        nint handle = _handles.Take();
        SetIv(handle, iv);
        fixed (byte* from = source, to = destination)
        {
            LibGcrypt.Encrypt(handle, to, (nuint)source.Length, from == to ? null : from, from == to ? 0 : (nuint)source.Length);
        }

        _handles.Give(handle);
    }

    /// <inheritdoc/>
    public override void Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> iv)
    {
        nint handle = _handles.Take();
        SetIv(handle, iv);
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

    private void SetIv(nint handle, ReadOnlySpan<byte> iv)
    {
        fixed (byte* bytes = iv)
        {
            if (_mode == Ctr)
            {
                LibGcrypt.SetCounter(handle, bytes, (nuint)_algorithm.BlockSize);
            }
            else
            {
                LibGcrypt.SetIv(handle, bytes, (nuint)_algorithm.BlockSize);
            }
        }
    }
}
