using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>A word that names a file: a path, or <c>file:PATH?size=SIZE&amp;direct=on&amp;aio=io_uring</c>.</summary>
internal sealed class FileWord
{
    /// <summary>What a word with options starts with.</summary>
    public const string Scheme = "file:";

    private FileWord(string name, string path)
    {
        Name = name;
        Path = path;
    }

    /// <summary>The word again, its path absolute.</summary>
    public string Name { get; private init; }

    /// <summary>The path, absolute.</summary>
    public string Path { get; }

    /// <summary>Whether the word says that it is a file.</summary>
    public bool IsFile { get; private init; }

    /// <summary>The size of the file that is made when it is missing; null where it must exist.</summary>
    public SectorCount? Size { get; private set; }

    /// <summary>Whether I/O goes past the page cache; null where the word does not say.</summary>
    public bool? Direct { get; private set; }

    /// <summary>Who waits for the disk.</summary>
    public FileEngine Engine { get; private set; }

    /// <summary>A word that is a path.</summary>
    public static FileWord Plain(string word)
    {
        string path = Absolute(word);
        return new FileWord(path, path);
    }

    /// <summary>Reads a word that starts with <see cref="Scheme"/>.</summary>
    /// <exception cref="DmException">EINVAL: no path, or an option that is not one.</exception>
    public static FileWord Parse(string word)
    {
        int question = word.IndexOf('?');
        string rest = question < 0 ? word[Scheme.Length..] : word[Scheme.Length..question];
        if (rest.Length == 0)
        {
            throw new DmException(Errno.EINVAL, $"'{word}': no path follows '{Scheme}'");
        }

        string path = Absolute(rest);
        string options = question < 0 ? "" : word[question..];
        FileWord file = new($"{Scheme}{path}{options}", path) { IsFile = true };
        foreach (string option in options.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            file.Take(option, word);
        }

        return file;
    }

    /// <summary>Refuses options on what is not a file.</summary>
    /// <exception cref="DmException">EINVAL.</exception>
    public void RefuseOptions(string what)
    {
        if (IsFile)
        {
            throw new DmException(Errno.EINVAL, $"'{Name}': '{Path}' is {what}, not a regular file; name it without '{Scheme}' and options");
        }
    }

    private void Take(string option, string word)
    {
        int equals = option.IndexOf('=');
        string key = equals < 0 ? option : option[..equals];
        string value = equals < 0 ? "" : option[(equals + 1)..];
        switch (key)
        {
            case "size":
                Size = ByteSize.TryParse(value, out SectorCount size)
                    ? size
                    : throw new DmException(Errno.EINVAL, $"'{word}': size: '{value}' is not {ByteSize.Expected}");
                break;
            case "direct":
                Direct = value switch
                {
                    "on" => true,
                    "off" => false,
                    _ => throw new DmException(Errno.EINVAL, $"'{word}': direct: '{value}' is neither 'on' nor 'off'"),
                };
                break;
            case "aio":
                Engine = value switch
                {
                    "io_uring" => FileEngine.IoUring,
                    "threads" => FileEngine.Threads,
                    _ => throw new DmException(Errno.EINVAL, $"'{word}': aio: '{value}' is neither 'io_uring' nor 'threads'"),
                };
                break;
            default:
                throw new DmException(Errno.EINVAL, $"'{word}': '{key}' is not an option of files: size=SIZE, direct=on, aio=threads");
        }
    }

    // Only joined, not shortened: '..' after a symbolic link is the link's.
    private static string Absolute(string path) => path.StartsWith('/') ? path : $"{Environment.CurrentDirectory}/{path}";
}
