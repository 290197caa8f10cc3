using DeviceMapper.Native;

namespace DeviceMapper.Targets.Crypt;

/// <summary>
/// The first argument of a crypt target, taken apart: <c>cipher[:keys]-mode-iv[:options]</c>, or
/// <c>capi:SPECIFICATION-iv[:options]</c> (the kernel's <c>crypt_ctr_cipher_old</c> and <c>_new</c>).
/// </summary>
/// <param name="Api">The cipher as the kernel's crypto API names it: <c>xts(aes)</c>.</param>
/// <param name="Iv">The generator of initialisation vectors; null without one.</param>
/// <param name="KeyCount">How many keys the sectors take turns with; a power of two.</param>
internal sealed record CipherSpecification(string Api, string? Iv, int KeyCount)
{
    private const int LongestApi = 127; // CRYPTO_MAX_ALG_NAME, less the end of the string

    /// <summary>Reads a specification.</summary>
    /// <param name="text">The argument.</param>
    /// <param name="authenticated">The options say <c>integrity:N:aead</c>.</param>
    /// <exception cref="DmException">EINVAL: it is malformed.</exception>
    public static CipherSpecification Parse(string text, bool authenticated) =>
        text.StartsWith("capi:", StringComparison.Ordinal) ? ParseApi(text) : ParseOld(text, authenticated);

    private static CipherSpecification ParseApi(string text)
    {
        string api = text["capi:".Length..];
        (api, string? ivOptions) = CutLast(api, ':');
        (api, string? iv) = CutLast(api, '-');
        if (iv == "essiv")
        {
            api = Essiv(text, api, ivOptions);
        }

        return new CipherSpecification(api, iv, iv == "lmk" ? 64 : 1);
    }

    private static CipherSpecification ParseOld(string text, bool authenticated)
    {
        if (text.Contains('(', StringComparison.Ordinal))
        {
            throw Refuse(text, "names a cipher of the kernel's crypto API, which 'capi:' has to say: capi:xts(aes)-plain64");
        }

        if (authenticated)
        {
            throw Refuse(text, "is of the old form, and authenticated encryption needs the other: capi:gcm(aes)-random");
        }

        (string cipher, string? rest) = CutFirst(text, '-');
        (cipher, string? count) = CutFirst(cipher, ':');
        uint keys = 1;
        if (count is not null && (!KernelNumber.TryScan(count, out ulong number) || (keys = (uint)number) == 0 || (keys & (keys - 1)) != 0))
        {
            throw Refuse(text, $"has a key count '{count}' that is not a power of two");
        }

        (string? mode, rest) = rest is null ? (null, null) : CutFirst(rest, '-');
        (string? iv, string? ivOptions) = rest is null ? (null, null) : CutFirst(rest, ':');
        if (mode is null || (mode == "plain" && iv is null))
        {
            (mode, iv) = ("cbc", "plain"); // the form of dm-crypt's first years
        }

        if (mode != "ecb" && iv is null)
        {
            throw Refuse(text, $"has mode '{mode}' without the generator of initialisation vectors that it needs, such as plain64");
        }

        string api = $"{mode}({cipher})";
        if (iv == "essiv")
        {
            api = Essiv(text, api, ivOptions);
        }

        return api.Length <= LongestApi
            ? new CipherSpecification(api, iv, (int)keys)
            : throw new DmException(Errno.ENOMEM, $"crypt: argument 1 (cipher): '{text}' is too long");
    }

    private static string Essiv(string text, string api, string? hash) => hash is null
        ? throw Refuse(text, "has essiv without the hash that it needs: essiv:sha256")
        : $"essiv({api},{hash})";

    private static DmException Refuse(string text, string reason) => new(Errno.EINVAL, $"crypt: argument 1 (cipher): '{text}' {reason}");

    private static (string Before, string? After) CutFirst(string text, char separator) => Cut(text, text.IndexOf(separator, StringComparison.Ordinal));

    private static (string Before, string? After) CutLast(string text, char separator) => Cut(text, text.LastIndexOf(separator));

    private static (string Before, string? After) Cut(string text, int at) => at < 0 ? (text, null) : (text[..at], text[(at + 1)..]);
}
