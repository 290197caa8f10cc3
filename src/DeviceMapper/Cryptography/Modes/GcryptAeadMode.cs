using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Modes;

/// <summary>
/// A cipher of libgcrypt in one of its modes that authenticate: GCM, CCM, or ChaCha20 with Poly1305 (RFC 8439). Those of IPsec (RFC 4106, 4309, 7634) have
/// some bytes of salt at the end of the key, which come before the vector, and do not authenticate the vector by itself. One of them (RFC 4543) leaves the
/// data as it is, and authenticates all.
/// </summary>
internal sealed unsafe class GcryptAeadMode : AeadCipher
{
    /// <summary>GCRY_CIPHER_MODE_GCM.</summary>
    public const int Gcm = 9;

    /// <summary>GCRY_CIPHER_MODE_POLY1305.</summary>
    public const int Poly1305 = 10;

    /// <summary>GCRY_CIPHER_MODE_CCM.</summary>
    public const int Ccm = 8;

    private const int LargestTag = 16;
    private const int LargestNonce = 12;

    private readonly GcryptAlgorithm _algorithm;
    private readonly int _mode;
    private readonly int _saltSize;
    private readonly bool _encrypts;
    private readonly HandlePool _handles;
    private SecretMemory? _key;

    /// <summary>Makes one without a key.</summary>
    /// <param name="algorithm">The cipher.</param>
    /// <param name="mode"><see cref="Gcm"/>, <see cref="Ccm"/>, <see cref="Poly1305"/>.</param>
    /// <param name="saltSize">Bytes of salt at the end of the key: 4, of CCM 3; 0 for the mode by itself.</param>
    /// <param name="encrypts">False where the data only is authenticated.</param>
    /// <exception cref="DmException">ENOENT: libgcrypt is not installed.</exception>
    public GcryptAeadMode(GcryptAlgorithm algorithm, int mode, int saltSize = 0, bool encrypts = true)
    {
        LibGcrypt.Load($"authentication with {algorithm.Name}");
        _algorithm = algorithm;
        _mode = mode;
        _saltSize = saltSize;
        _encrypts = encrypts;
        _handles = new HandlePool(() => _algorithm.Open(_mode, _key!.Span[..^_saltSize]), LibGcrypt.Close);
    }

    /// <inheritdoc/>
    public override int IvSize => _saltSize == 0 ? LargestNonce : 8;

    /// <inheritdoc/>
    public override int BlockSize => 1;

    /// <inheritdoc/>
    public override bool TakesTag(int size) => (_mode, _saltSize) switch
    {
        (Gcm, _) when !_encrypts => size == LargestTag,
        (Poly1305, _) => size == LargestTag,
        (Gcm, 0) => size is 4 or 8 or (>= 12 and <= LargestTag),
        _ => size is 8 or 12 or LargestTag,
    };

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key)
    {
        _algorithm.CheckKey(key.Length - _saltSize);
        nint handle = _algorithm.Open(_mode, key[..^_saltSize]);
        Dispose();
        _key = new SecretMemory(key);
        _handles.Give(handle);
    }

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, Span<byte> associated, Span<byte> tag)
    {
        Span<byte> whole = stackalloc byte[LargestTag];
        whole = _mode == Ccm ? whole[..tag.Length] : whole; // a shorter tag of CCM is not the start of a longer one
        nint handle = Start(associated, source.Length, tag.Length);
        fixed (byte* from = source, to = destination, tagStart = whole)
        {
            if (_encrypts)
            {
                LibGcrypt.Encrypt(handle, to, (nuint)source.Length, from == to ? null : from, from == to ? 0 : (nuint)source.Length);
            }
            else
            {
                LibGcrypt.Authenticate(handle, from, (nuint)source.Length);
                source.CopyTo(destination);
            }

            LibGcrypt.GetTag(handle, tagStart, (nuint)whole.Length);
        }

        whole[..tag.Length].CopyTo(tag);
        _handles.Give(handle);
    }

    /// <inheritdoc/>
    public override bool Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, Span<byte> associated, ReadOnlySpan<byte> tag)
    {
        nint handle = Start(associated, source.Length, tag.Length);
        bool right;
        fixed (byte* from = source, to = destination, tagStart = tag)
        {
            if (_encrypts)
            {
                LibGcrypt.Decrypt(handle, to, (nuint)source.Length, from == to ? null : from, from == to ? 0 : (nuint)source.Length);
            }
            else
            {
                LibGcrypt.Authenticate(handle, from, (nuint)source.Length);
                source.CopyTo(destination);
            }

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

    private nint Start(ReadOnlySpan<byte> associated, int length, int tagLength)
    {
        nint handle = _handles.Take();
        Span<byte> nonce = stackalloc byte[LargestNonce];
        nonce = nonce[..(_saltSize + IvSize)];
        _key!.Span[^_saltSize..].CopyTo(nonce);
        associated[^IvSize..].CopyTo(nonce[_saltSize..]);
        if (_saltSize > 0 && _encrypts)
        {
            associated = associated[..^IvSize];
        }

        fixed (byte* bytes = associated, start = nonce)
        {
            LibGcrypt.SetIv(handle, start, (nuint)nonce.Length);
            if (_mode == Ccm)
            {
                LibGcrypt.SetLengths(handle, (ulong)length, (ulong)associated.Length, (ulong)tagLength);
            }

            LibGcrypt.Authenticate(handle, bytes, (nuint)associated.Length);
        }

        return handle;
    }
}
