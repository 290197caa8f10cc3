using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>
/// Finds out whether a path names a mapped device: by way of the registry's own folder or of /dev/mapper, symbolic links followed. It
/// looks at neither folder through the kernel: the daemon would wait for itself.
/// </summary>
internal sealed class MapperPaths(DeviceRegistry registry)
{
    private const string KernelFolder = "/dev/mapper";
    private const int MaxLinks = 40; // the kernel's own limit

    private readonly Lazy<string?> _ownFolder = new(() =>
        registry.Options.MapperFolder is { } folder
            ? Path.Join(Follow(Path.GetDirectoryName(folder) ?? "/", _ => false), Path.GetFileName(folder))
            : null);

    /// <summary>The registry's own folder, without symbolic links; null without one.</summary>
    public string? OwnFolder => _ownFolder.Value;

    /// <summary>The mapped device that a path names, or null where it names none of this registry's.</summary>
    /// <exception cref="DmException">ENOENT or ENOTDIR: in the registry's own folder there is nothing of that name.</exception>
    public MappedDevice? Find(string path)
    {
        string end = Follow(path, IsMapperFolder);
        string? folder = end.StartsWith(KernelFolder + "/", StringComparison.Ordinal) ? KernelFolder
            : OwnFolder is { } own && end.StartsWith(own + "/", StringComparison.Ordinal) ? own
            : null;
        if (folder is null)
        {
            return null;
        }

        string name = end[(folder.Length + 1)..].TrimEnd('/');
        int slash = name.IndexOf('/');
        MappedDevice? device = registry.FindByName(slash < 0 ? name : name[..slash]);
        if (device is { HasAppeared: true })
        {
            return slash < 0 && !end.EndsWith('/') ? device : throw OpenErrors.Refusal(Errno.ENOTDIR, path);
        }

        return folder == KernelFolder ? null
            : device is null ? throw new DmException(Errno.ENOENT, $"{OpenErrors.Quote(path)}: there is no mapped device '{name}'")
            : throw new DmException(Errno.ENOENT, $"{OpenErrors.Quote(path)}: '{name}' has never been resumed with a table");
    }

    private bool IsMapperFolder(string folder) => folder == KernelFolder || folder == OwnFolder;

    /// <summary>Follows the symbolic links of a path, up to a folder that is not to be looked into.</summary>
    /// <returns>The path without links, or with those that come after that folder.</returns>
    private static string Follow(string path, Func<string, bool> isEnd)
    {
        Stack<string> rest = new();
        Push(rest, path);
        string at = "";
        int links = 0;
        while (rest.TryPop(out string? part))
        {
            if (part is "" or ".")
            {
                continue;
            }

            if (part == "..")
            {
                at = at[..Math.Max(at.LastIndexOf('/'), 0)];
                continue;
            }

            string next = $"{at}/{part}";
            if (isEnd(next))
            {
                while (rest.TryPeek(out string? inside) && inside is "" or ".")
                {
                    rest.Pop();
                }

                if (rest.TryPeek(out string? first) && first == "..")
                {
                    rest.Pop();
                    continue;
                }

                return rest.Count == 0 ? next : $"{next}/{string.Join('/', rest)}";
            }

            if (++links <= MaxLinks && new FileInfo(next).LinkTarget is { } target)
            {
                at = target.StartsWith('/') ? "" : at;
                Push(rest, target);
            }
            else
            {
                links--;
                at = next;
            }
        }

        return at.Length == 0 ? "/" : at;
    }

    private static void Push(Stack<string> rest, string path)
    {
        string[] parts = path.Split('/');
        for (int i = parts.Length - 1; i >= 0; i--)
        {
            rest.Push(parts[i]);
        }
    }
}
