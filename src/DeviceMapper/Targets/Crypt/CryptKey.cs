using System.Security.Cryptography;
using System.Text;
using DeviceMapper.Cryptography;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Crypt;

/// <summary>
/// The second argument of a crypt target: <c>-</c> for none, hexadecimal digits, or <c>:SIZE:TYPE:DESCRIPTION</c> for one that lies in a
/// keyring (the kernel's <c>get_key_size</c> and <c>crypt_set_key</c>).
/// </summary>
internal sealed class CryptKey : IDisposable
{
    private const int TooLarge = 4 << 20; // bytes: more than the kernel allocates at once

    /// <summary>Makes room for the key that a word stands for; <see cref="Read"/> reads it.</summary>
    /// <exception cref="DmException">EINVAL: the word is malformed. ENOMEM: no key is that large.</exception>
    public CryptKey(string word) => Bytes = new SecretMemory(
        SizeOf(word) is var size and < TooLarge ? size : throw new DmException(Errno.ENOMEM, $"a key has fewer than {TooLarge} bytes"));

    /// <summary>The key. Its size never changes.</summary>
    public SecretMemory Bytes { get; }

    /// <summary><c>TYPE:DESCRIPTION</c> of a key that lies in a keyring.</summary>
    public string? KeyringName { get; private set; }

    /// <summary>Whether there is a key that the ciphers took.</summary>
    public bool IsValid { get; set; }

    /// <summary>Bytes that a word stands for.</summary>
    /// <exception cref="DmException">EINVAL: it is malformed.</exception>
    public static int SizeOf(string word)
    {
        if (!word.StartsWith(':'))
        {
            return word.Length / 2; // as the kernel: a last odd digit is not seen
        }

        int colon = word.IndexOf(':', 1);
        return colon > 0 && KernelNumber.TryScan(word.AsSpan(1, colon - 1), out uint size) && (int)size >= 0
            ? (int)size
            : throw new DmException(Errno.EINVAL, $"'{word}' is not a key in a keyring, :SIZE:TYPE:DESCRIPTION");
    }

    /// <summary>Reads the key that a word of the same size stands for. It is not valid until the ciphers have taken it.</summary>
    /// <exception cref="DmException">EINVAL: it is malformed. ENOKEY: the keyrings have none of this name.</exception>
    public void Read(string word)
    {
        if (Bytes.Length == 0 && word != "-")
        {
            throw new DmException(Errno.EINVAL, "a key of no bytes is written '-'");
        }

        if (word.StartsWith(':'))
        {
            ReadFromKeyring(word[(word.IndexOf(':', 1) + 1)..]);
            return;
        }

        IsValid = false;
        KeyringName = null;
        if (Bytes.Length > 0 && !TryDecode(word, Bytes.Span))
        {
            throw new DmException(Errno.EINVAL, "the key is not of hexadecimal digits");
        }
    }

    /// <summary>Appends the word that it can be made of again.</summary>
    public void Append(StringBuilder text)
    {
        if (Bytes.Length == 0)
        {
            text.Append('-');
        }
        else if (KeyringName is not null)
        {
            text.Append($":{Bytes.Length}:{KeyringName}");
        }
        else
        {
            foreach (byte b in Bytes.Span)
            {
                text.Append(HexDigit(b >> 4)).Append(HexDigit(b & 15));
            }
        }
    }

    /// <summary>Puts random bytes in its place, and forgets where it came from.</summary>
    public void Wipe()
    {
        RandomNumberGenerator.Fill(Bytes.Span);
        KeyringName = null;
        IsValid = false;
    }

    /// <inheritdoc/>
    public void Dispose() => Bytes.Dispose();

    private void ReadFromKeyring(string name)
    {
        if (name.Any(char.IsWhiteSpace))
        {
            throw new DmException(Errno.EINVAL, "the name of a key in a keyring may not have blanks: the table's line could not show it");
        }

        int colon = name.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0 || colon == name.Length - 1)
        {
            throw new DmException(Errno.EINVAL, $"'{name}' is not type and description of a key in a keyring, TYPE:DESCRIPTION");
        }

        string type = name[..colon];
        if (type is not ("logon" or "user" or "encrypted" or Keyring.Passed))
        {
            throw new DmException(Errno.EINVAL, $"'{type}' is not a type of keys for crypt: logon, user, encrypted");
        }

        using SecretMemory bytes = Keyring.Read(type, name[(colon + 1)..]);
        if (bytes.Length != Bytes.Length)
        {
            throw new DmException(Errno.EINVAL, $"the key '{name}' has {bytes.Length} bytes, and {Bytes.Length} were announced");
        }

        IsValid = false;
        KeyringName = type == Keyring.Passed ? null : name;
        bytes.Span.CopyTo(Bytes.Span);
    }

    private static bool TryDecode(ReadOnlySpan<char> digits, Span<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            int high = Digit(digits[2 * i]);
            int low = Digit(digits[(2 * i) + 1]);
            if (high < 0 || low < 0)
            {
                return false;
            }

            bytes[i] = (byte)((high << 4) | low);
        }

        return true;
    }

    private static int Digit(char c) => c switch
    {
        >= '0' and <= '9' => c - '0',
        >= 'a' and <= 'f' => c - 'a' + 10,
        >= 'A' and <= 'F' => c - 'A' + 10,
        _ => -1,
    };

    private static char HexDigit(int value) => "0123456789abcdef"[value];
}
