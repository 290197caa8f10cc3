using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography;

/// <summary>A cipher of libgcrypt in one of its modes that authenticate: GCM, or ChaCha20 with Poly1305 (RFC 8439).</summary>
internal sealed unsafe class GcryptAeadMode : AeadCipher
{
    /// <summary>GCRY_CIPHER_MODE_GCM.</summary>
    public const int Gcm = 9;

    /// <summary>GCRY_CIPHER_MODE_POLY1305.</summary>
    public const int Poly1305 = 10;

    private const int LargestTag = 16;

    private readonly GcryptAlgorithm _algorithm;
    private readonly int _mode;
    private readonly HandlePool _handles;
    private SecretMemory? _key;

    public GcryptAeadMode(GcryptAlgorithm algorithm, int mode)
    {
        LibGcrypt.Load(mode == Gcm ? $"gcm({algorithm.Name})" : "rfc7539(chacha20,poly1305)");
        _algorithm = algorithm;
        _mode = mode;
        _handles = new HandlePool(() => _algorithm.Open(_mode, _key!.Span), LibGcrypt.Close);
    }

    /// <inheritdoc/>
    public override int IvSize => 12;

    /// <inheritdoc/>
    public override int BlockSize => 1;

    /// <inheritdoc/>
    public override bool TakesTag(int size) => _mode == Gcm ? size is 4 or 8 or (>= 12 and <= LargestTag) : size == LargestTag;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key)
    {
        _algorithm.CheckKey(key.Length);
        nint handle = _algorithm.Open(_mode, key);
        Dispose();
        _key = new SecretMemory(key);
        _handles.Give(handle);
    }

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, Span<byte> associated, Span<byte> tag)
    {
        Span<byte> whole = stackalloc byte[LargestTag];
        nint handle = Start(associated);
        fixed (byte* from = source, to = destination, tagStart = whole)
        {
            LibGcrypt.Encrypt(handle, to, (nuint)source.Length, from == to ? null : from, from == to ? 0 : (nuint)source.Length);
            LibGcrypt.GetTag(handle, tagStart, LargestTag);
        }

        whole[..tag.Length].CopyTo(tag);
        _handles.Give(handle);
    }

    /// <inheritdoc/>
    public override bool Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, Span<byte> associated, ReadOnlySpan<byte> tag)
    {
        nint handle = Start(associated);
        bool right;
        fixed (byte* from = source, to = destination, tagStart = tag)
        {
            LibGcrypt.Decrypt(handle, to, (nuint)source.Length, from == to ? null : from, from == to ? 0 : (nuint)source.Length);
            right = LibGcrypt.CheckTag(handle, tagStart, (nuint)tag.Length) == 0;
        }

        _handles.Give(handle);
        if (!right)
        {
            destination[..source.Length].Clear();
        }

        return right;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _handles.Dispose();
        _key?.Dispose();
    }

    private nint Start(ReadOnlySpan<byte> associated)
    {
        nint handle = _handles.Take();
        fixed (byte* bytes = associated)
        {
            LibGcrypt.SetIv(handle, bytes + associated.Length - IvSize, (nuint)IvSize);
            LibGcrypt.Authenticate(handle, bytes, (nuint)associated.Length);
        }

        return handle;
    }
}
