namespace Udm.Verbs;

/// <summary>Replaces the keys in a target's arguments by zeroes; names of keys in a keyring, after a colon, stay.</summary>
internal static class KeyHiding
{
    private static readonly string[] IntegrityKeys = ["internal_hash:", "journal_crypt:", "journal_mac:"];

    /// <summary>Hides the keys of a <c>crypt</c> or <c>integrity</c> target; others have none.</summary>
    public static string Hide(string type, string arguments) => type switch
    {
        "crypt" => HideWord(arguments, 1),
        "integrity" => IntegrityKeys.Aggregate(arguments, HideAfterAlgorithm),
        _ => arguments,
    };

    // crypt: CIPHER KEY ...
    private static string HideWord(string arguments, int word)
    {
        string[] words = arguments.Split(' ');
        if (words.Length > word && !words[word].StartsWith(':'))
        {
            words[word] = new string('0', words[word].Length);
        }

        return string.Join(' ', words);
    }

    // integrity: ... internal_hash:ALGORITHM[:KEY] ...
    private static string HideAfterAlgorithm(string arguments, string option)
    {
        int start = arguments.IndexOf(option, StringComparison.Ordinal);
        if (start < 0)
        {
            return arguments;
        }

        int end = arguments.IndexOf(' ', start);
        end = end < 0 ? arguments.Length : end;
        int colon = arguments.IndexOf(':', start + option.Length, end - start - option.Length);
        return colon < 0 ? arguments : arguments[..(colon + 1)] + new string('0', end - colon - 1) + arguments[end..];
    }
}
