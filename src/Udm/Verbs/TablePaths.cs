using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace Udm.Verbs;

/// <summary>
/// Makes relative paths in table lines absolute: they are meant in the caller's current folder, which is not the daemon's.
/// </summary>
public static class TablePaths
{
    private const string FileScheme = "file:";
    private const string NbdScheme = "nbd+unix:", Socket = "socket="; // a server's socket, which is a path too
    private const string MetadataDevice = "meta_device:"; // an option of integrity, with a device

    /// <summary>Makes the paths in a table absolute.</summary>
    public static IReadOnlyList<TableLine> Resolve(IReadOnlyList<TableLine> lines) => [.. lines.Select(Resolve)];

    /// <summary>Makes the paths in a line's arguments absolute.</summary>
    public static TableLine Resolve(TableLine line) => line with { Arguments = Resolve(line.Arguments) };

    /// <summary>Makes the paths in arguments absolute. Where there are none, the text is given back as it is.</summary>
    public static string Resolve(string arguments)
    {
        IReadOnlyList<string> words = TableParser.SplitWords(arguments);
        if (!words.Any(IsRelative))
        {
            return arguments;
        }

        return string.Join(' ', words.Select(word => TableParser.EscapeWord(IsRelative(word) ? MakeAbsolute(word) : word)));
    }

    /// <summary>
    /// Whether a word (without its escapes) names a device by a relative path: after <c>file:</c>; or because it has a slash;
    /// or because there is such a file; or an NBD server by a relative path of its socket. Numbers, <c>major:minor</c> and other URIs do not.
    /// </summary>
    public static bool IsRelative(string word)
    {
        if (word.StartsWith(MetadataDevice, StringComparison.Ordinal))
        {
            return IsRelative(word[MetadataDevice.Length..]);
        }

        if (word.StartsWith(NbdScheme, StringComparison.Ordinal))
        {
            return SocketOf(word) is > 0 and int at && at < word.Length && word[at] != '/';
        }

        if (word.StartsWith(FileScheme, StringComparison.Ordinal))
        {
            return word.Length > FileScheme.Length && word[FileScheme.Length] != '/';
        }

        if (word.Length == 0 || word[0] == '/' || word.All(char.IsAsciiDigit) || DeviceNumber.TryParse(word, out _) || HasScheme(word))
        {
            return false;
        }

        return word.Contains('/') || File.Exists(word);
    }

    private static string MakeAbsolute(string word)
    {
        if (word.StartsWith(MetadataDevice, StringComparison.Ordinal))
        {
            return MetadataDevice + MakeAbsolute(word[MetadataDevice.Length..]);
        }

        if (word.StartsWith(NbdScheme, StringComparison.Ordinal))
        {
            int at = SocketOf(word);
            int end = word.IndexOf('&', at);
            end = end < 0 ? word.Length : end;
            return string.Concat(word.AsSpan(0, at), Path.GetFullPath(word[at..end]), word.AsSpan(end));
        }

        if (!word.StartsWith(FileScheme, StringComparison.Ordinal))
        {
            return Path.GetFullPath(word);
        }

        // What follows a question mark are options.
        string rest = word[FileScheme.Length..];
        int options = rest.IndexOf('?');
        return options < 0
            ? FileScheme + Path.GetFullPath(rest)
            : new StringBuilder(FileScheme).Append(Path.GetFullPath(rest[..options])).Append(rest, options, rest.Length - options).ToString();
    }

    /// <summary>Where the socket's path starts in an NBD URI's options; 0 or less where it has none.</summary>
    private static int SocketOf(string word)
    {
        int query = word.IndexOf('?');
        int option = query < 0 ? -1 : word.IndexOf(Socket, query, StringComparison.Ordinal);
        return option > 0 && word[option - 1] is '?' or '&' ? option + Socket.Length : -1;
    }

    // A letter, then letters, digits, '+', '-', '.', then a colon (RFC 3986), before any slash.
    private static bool HasScheme(string word)
    {
        int colon = word.IndexOf(':');
        return colon > 0
            && char.IsAsciiLetter(word[0])
            && word.AsSpan(0, colon).IndexOfAnyExcept(SchemeCharacters) < 0;
    }

    private static readonly System.Buffers.SearchValues<char> SchemeCharacters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
}
