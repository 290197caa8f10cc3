using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Integrity;

/// <summary>The value of <c>internal_hash:</c>, <c>journal_crypt:</c> or <c>journal_mac:</c>: <c>NAME[:KEY]</c>, the key in hexadecimal digits.</summary>
internal sealed class IntegrityAlgorithm : IDisposable
{
    private const string Passed = $":{Keyring.Passed}:";

    private readonly SecretMemory? _key;
    private readonly string _text;

    /// <summary>Takes it apart.</summary>
    /// <exception cref="DmException">EINVAL: the key is not of pairs of hexadecimal digits.</exception>
    public IntegrityAlgorithm(string text)
    {
        _text = text;
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        Name = colon < 0 ? text : text[..colon];
        if (colon < 0)
        {
            return;
        }

        ReadOnlySpan<char> digits = text.AsSpan(colon + 1);
        if (digits.StartsWith(':') && digits.IndexOf(Passed, StringComparison.Ordinal) is > 0 and int passed)
        {
            _key = Keyring.Read(Keyring.Passed, digits[(passed + Passed.Length)..].ToString());
            return;
        }

        _key = new SecretMemory(digits.Length / 2);
        if (digits.Length % 2 != 0 || Convert.FromHexString(digits, _key.Span, out _, out _) != System.Buffers.OperationStatus.Done)
        {
            _key.Dispose();
            throw new DmException(Errno.EINVAL, $"the key of '{Name}' is not of pairs of hexadecimal digits");
        }
    }

    /// <summary>As the table has it.</summary>
    public string Text => _text.Contains(Passed, StringComparison.Ordinal) ? $"{Name}:{Convert.ToHexStringLower(_key!.Span)}" : _text;

    /// <summary>As the kernel's crypto API names it.</summary>
    public string Name { get; }

    /// <summary>Whether a key was given, of whatever length.</summary>
    public bool HasKey => _key is not null;

    /// <summary>Makes the hash.</summary>
    /// <exception cref="DmException">ENOENT: there is none. ENOKEY: it needs a key. ENOSYS: it takes none. EINVAL: the key does not fit it.</exception>
    public Digest CreateDigest()
    {
        return _key is null ? Digest.Create(Name) : Digest.Create(Name, _key.Span);
    }

    /// <summary>Makes the cipher.</summary>
    /// <exception cref="DmException">ENOENT: there is none. ENOKEY: there is no key. EINVAL: the key does not fit it.</exception>
    public SectorCipher CreateCipher()
    {
        SectorCipher cipher = Ciphers.CreateMode(Name);
        try
        {
            cipher.SetKey((_key ?? throw new DmException(Errno.ENOKEY, $"the cipher '{Name}' needs a key: {Name}:KEY")).Span);
            return cipher;
        }
        catch
        {
            cipher.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _key?.Dispose();
}
