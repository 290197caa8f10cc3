using System.Globalization;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>
/// Finds the device that a word of a table names, without opening it: <c>major:minor</c>, a path, <c>file:</c>, <c>mem:</c>, or a URI of
/// <see cref="DeviceRegistryOptions.Schemes"/>. See docs/tables.md.
/// </summary>
internal sealed class DeviceResolver
{
    private readonly MapperPaths _mapperPaths;
    private readonly OwnFiles _ownFiles;
    private readonly Memories _memories = new();
    private readonly DeviceRegistry _registry;

    public DeviceResolver(DeviceRegistry registry)
    {
        _registry = registry;
        _mapperPaths = new MapperPaths(registry);
        _ownFiles = new OwnFiles(registry, _mapperPaths);
    }

    /// <summary>Finds a device.</summary>
    /// <exception cref="DmException">The errno that the kernel gives for such a word, or EINVAL for a malformed word of ours.</exception>
    public DeviceSpec Resolve(string word, ResolveContext context)
    {
        if (_registry.Options.Schemes.FirstOrDefault(s => s.Prefixes.Any(p => word.StartsWith(p, StringComparison.Ordinal))) is { } scheme)
        {
            return scheme.Resolve(word, context);
        }

        if (word.StartsWith(MemorySpec.Scheme, StringComparison.Ordinal))
        {
            return MemorySpec.Parse(word, context, _memories);
        }

        return context.FindOnce(word, Find);
    }

    private DeviceSpec Find(string word)
    {
        if (!word.StartsWith(FileWord.Scheme, StringComparison.Ordinal))
        {
            return FindNumber(word) ?? FindPath(FileWord.Plain(word), word);
        }

        FileWord file = FileWord.Parse(word);
        return FindPath(file, file.Path);
    }

    /// <summary>Reads <c>major:minor</c> as the kernel does: 12 bits and 20.</summary>
    /// <returns>Null where the word is not of that form.</returns>
    private DeviceSpec? FindNumber(string word)
    {
        int colon = word.IndexOf(':');
        if (colon < 0 || !IsDigits(word.AsSpan(0, colon)) || !IsDigits(word.AsSpan(colon + 1)))
        {
            return null;
        }

        if (!uint.TryParse(word.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out uint major)
            || !uint.TryParse(word.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out uint minor))
        {
            throw new DmException(Errno.ENXIO, $"there is no block device {OpenErrors.Quote(word)}: the number is beyond 32 bits");
        }

        DeviceNumber number = new(major, minor);
        if (major > DeviceNumber.MaxMajor || minor > DeviceNumber.MaxMinor)
        {
            throw new DmException(
                Errno.EOVERFLOW,
                $"'{word}' is no device number: a major is at most {DeviceNumber.MaxMajor}, a minor at most {DeviceNumber.MaxMinor}");
        }

        return FindBlockDevice(number, null);
    }

    /// <param name="word">The file.</param>
    /// <param name="shown">What a refusal calls it: a plain word as it was written, since it need not have been meant as a path.</param>
    private DeviceSpec FindPath(FileWord word, string shown)
    {
        FileSizeLimit.Survive();
        string path = word.Path;
        if (_mapperPaths.Find(path) is { } named)
        {
            word.RefuseOptions("a mapped device");
            return new MappedSpec(named);
        }

        bool made = false;
        Errno error = FileStatus.TryGet(path, out FileStatus status);
        if (error == Errno.ENOENT && word.Size is { } size)
        {
            if (!_registry.Options.MakesFiles && Directory.Exists(Path.GetDirectoryName(path)))
            {
                return new MissingFileSpec(word.Name, path, size);
            }

            error = SparseFile.TryMake(path, size, out made);
            error = error == Errno.None ? FileStatus.TryGet(path, out status) : error;
        }

        if (error != Errno.None)
        {
            throw error == Errno.ENOENT ? new DmException(error, Missing(word, shown)) : OpenErrors.Refusal(error, shown);
        }

        switch (status.Kind)
        {
            case FileKind.BlockDevice:
                word.RefuseOptions("a block device");
                return FindBlockDevice(status.Device, path);
            case FileKind.File:
                return _ownFiles.Find(status.FileSystem, status.Inode) is { } own
                    ? new MappedSpec(own)
                    : new FileSpec(word.Name, path, status, word.Direct, word.Engine, _registry.Options.DirectFiles, made);
            default:
                throw new DmException(Errno.ENOTBLK, $"'{path}' is a {Noun(status.Kind)}, neither a block device nor a regular file");
        }
    }

    private string Missing(FileWord word, string shown) =>
        Path.GetDirectoryName(word.Path) is { } folder && word.IsFile && !Directory.Exists(folder) ? $"the folder '{folder}' does not exist"
        : word.IsFile ? $"'{word.Path}' does not exist; '{FileWord.Scheme}{word.Path}?size=64M' would make it"
        : _registry.FindByName(shown) is not null ? $"'{shown}' does not exist; the mapped device of this name is '/dev/mapper/{shown}' in a table"
        : $"{OpenErrors.Quote(shown)} does not exist";

    private DeviceSpec FindBlockDevice(DeviceNumber number, string? path)
    {
        if (number.Major == _registry.Major)
        {
            return _registry.FindByNumber(number) is { } device
                ? new MappedSpec(device)
                : throw new DmException(Errno.ENXIO, $"there is no mapped device {number}");
        }

        if (number.Major == _registry.Claims.ForeignMajor)
        {
            throw new DmException(Errno.ENXIO, $"{number} is udm's own number of a file or the like, which a table names by its path");
        }

        return _ownFiles.FindBehindLoop(number) is { } behind ? new MappedSpec(behind) : new BlockDeviceSpec(number, path);
    }

    private static bool IsDigits(ReadOnlySpan<char> text) => text.Length > 0 && !text.ContainsAnyExceptInRange('0', '9');

    private static string Noun(FileKind kind) => kind switch
    {
        FileKind.Folder => "folder",
        FileKind.CharacterDevice => "character device",
        FileKind.Pipe => "pipe",
        FileKind.Socket => "socket",
        _ => "thing of an unknown kind",
    };
}
