using DeviceMapper.Io;
using DeviceMapper.Ioctl;

namespace Udm.Verbs;

/// <summary>Which mapped device a verb is meant for: one of name, uuid and number, in the daemon's form.</summary>
/// <param name="Shown">As the user named it.</param>
internal readonly record struct DeviceSelector(string Shown, string? Name = null, string? Uuid = null, DeviceNumber? Number = null)
{
    /// <summary>What the caller takes for /dev (<c>DM_DEV_DIR</c>), where programs that were written for dmsetup look for devices.</summary>
    public static string DeviceFolder => Environment.GetEnvironmentVariable("DM_DEV_DIR") is { Length: > 0 } folder ? Path.TrimEndingDirectorySeparator(folder) : "/dev";

    /// <summary>Selects by a name in the user's form.</summary>
    /// <exception cref="VerbException">The name cannot be mangled, or is too long.</exception>
    public static DeviceSelector ByName(string name, ManglingMode mangling) =>
        new(name, Name: NameMangling.ToDaemon(name, "name", DmIoctl.MaxNameLength, mangling));

    /// <summary>Selects by a uuid in the user's form.</summary>
    /// <exception cref="VerbException">The uuid cannot be mangled, or is too long.</exception>
    public static DeviceSelector ByUuid(string uuid, ManglingMode mangling) =>
        new(uuid, Uuid: NameMangling.ToDaemon(uuid, "uuid", DmIoctl.MaxUuidLength, mangling));

    /// <summary>Selects by number.</summary>
    public static DeviceSelector ByNumber(DeviceNumber number) => new(number.ToString(), Number: number);

    /// <summary>
    /// Selects by what stands on the command line: a name, or, with a slash, the path of a device's file: in the daemon's folder, in
    /// /dev/mapper (which need not exist), or a link to one of these.
    /// </summary>
    /// <param name="word">Name or path.</param>
    /// <param name="mapperFolder">Where the daemon shows devices as files.</param>
    /// <param name="mangling">How names are mangled. A path has the daemon's form already.</param>
    /// <exception cref="VerbException">The path is no mapped device's.</exception>
    public static DeviceSelector Parse(string word, string mapperFolder, ManglingMode mangling)
    {
        if (!word.Contains('/'))
        {
            return ByName(word, mangling);
        }

        // As dmsetup, which looks for mapper/NAME under /dev.
        string path = word.StartsWith("mapper/", StringComparison.Ordinal) ? Path.Combine(DeviceFolder, word) : Path.GetFullPath(word);
        string? name = NameIn(path, mapperFolder) ?? NameIn(Resolve(path), mapperFolder);
        return name is not null
            ? new(word, Name: name)
            : throw new VerbException($"'{word}' is no mapped device; its name, or its path in {mapperFolder} or /dev/mapper is expected");
    }

    private static string? NameIn(string path, string mapperFolder)
    {
        string folder = Path.GetDirectoryName(path) ?? "/";
        return folder == "/dev/mapper" || folder == Path.Combine(DeviceFolder, "mapper") || folder == mapperFolder || folder == Resolve(mapperFolder) ? Path.GetFileName(path) : null;
    }

    private static string Resolve(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        }
        catch (IOException)
        {
            // No such file, or a loop of links: the path as it was will be in the refusal.
            return path;
        }
    }
}
