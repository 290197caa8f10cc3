using System.Security.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography.Modes;

/// <summary>
/// Encryption, then a keyed hash of the associated data and the ciphertext: <c>authenc(HASH,MODE)</c> (crypto/authenc.c). The key is the mode's,
/// then the hash's; the tag is the start of the hash.
/// </summary>
internal sealed class AuthencMode : AeadCipher
{
    private readonly string _hash;
    private readonly SectorCipher _mode;
    private readonly int _tagSize;
    private readonly int _hashKeySize;
    private Digest? _digest;

    /// <summary>Makes one without a key.</summary>
    /// <param name="hash">The kernel's name of the keyed hash.</param>
    /// <param name="mode">What encrypts; disposed of with this.</param>
    /// <param name="hashKeySize">Bytes of the hash's key; null for as many as a hash has.</param>
    /// <exception cref="DmException">ENOENT: there is no such hash.</exception>
    public AuthencMode(string hash, SectorCipher mode, int? hashKeySize)
    {
        _hash = hash;
        _mode = mode;
        try
        {
            using Digest digest = Digest.NeedsKey(hash) ? Digest.Create(hash, stackalloc byte[16]) : Digest.Create(hash);
            _tagSize = digest.Size;
            _hashKeySize = hashKeySize ?? _tagSize;
        }
        catch
        {
            mode.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override int IvSize => _mode.IvSize;

    /// <inheritdoc/>
    public override int BlockSize => _mode.BlockSize;

    /// <inheritdoc/>
    public override int AuthenticationKeySize => _hashKeySize;

    /// <inheritdoc/>
    public override bool TakesTag(int size) => size > 0 && size <= _tagSize;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key)
    {
        if (key.Length < _hashKeySize)
        {
            throw new DmException(Errno.EINVAL, $"{_hash} takes {_hashKeySize} bytes of the key, which has only {key.Length}");
        }

        Digest digest = Digest.Create(_hash, key[^_hashKeySize..]);
        try
        {
            _mode.SetKey(key[..^_hashKeySize]);
        }
        catch
        {
            digest.Dispose();
            throw;
        }

        _digest?.Dispose();
        _digest = digest;
    }

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, Span<byte> associated, Span<byte> tag)
    {
        Span<byte> digest = stackalloc byte[Digest.LargestSize];
        _mode.Encrypt(source, destination, associated[^IvSize..]);
        _digest!.Hash(associated, destination, digest);
        digest[..tag.Length].CopyTo(tag);
    }

    /// <inheritdoc/>
    public override bool Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, Span<byte> associated, ReadOnlySpan<byte> tag)
    {
        Span<byte> digest = stackalloc byte[Digest.LargestSize];
        _digest!.Hash(associated, source, digest);
        if (!CryptographicOperations.FixedTimeEquals(digest[..tag.Length], tag))
        {
            return false;
        }

        _mode.Decrypt(source, destination, associated[^IvSize..]);
        return true;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _mode.Dispose();
        _digest?.Dispose();
    }
}
