using System.Globalization;
using System.Text;

namespace DeviceMapper.Fuse.Mounting;

/// <summary>A mount, as /proc/self/mountinfo tells of it.</summary>
/// <param name="Minor">The minor number of its st_dev: of a FUSE mount, the number of its connection.</param>
/// <param name="Folder">Where it is mounted.</param>
/// <param name="Type">The file system's type: <c>fuse.udm</c> is ours.</param>
internal readonly record struct MountEntry(uint Minor, string Folder, string Type);

/// <summary>
/// The mounts of this process's namespace. Asked instead of the folder itself, since a look at the mount of a daemon that is gone, or hangs, fails or hangs.
/// </summary>
internal static class MountTable
{
    /// <summary>The mounts on a folder, the lowest first.</summary>
    /// <param name="folder">An absolute path without symbolic links.</param>
    public static IReadOnlyList<MountEntry> MountsOn(string folder) => [.. Parse(File.ReadLines("/proc/self/mountinfo")).Where(entry => entry.Folder == folder)];

    /// <summary>Reads lines of mountinfo: <c>36 35 0:45 / /mnt rw,nosuid shared:1 - fuse.udm udm rw,user_id=0</c>.</summary>
    public static IEnumerable<MountEntry> Parse(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            string[] words = line.Split(' ');
            int separator = Array.IndexOf(words, "-");
            if (separator < 6 || separator + 1 >= words.Length)
            {
                continue;
            }

            string minor = words[2][(words[2].IndexOf(':') + 1)..];
            yield return new MountEntry(uint.Parse(minor, CultureInfo.InvariantCulture), Unescape(words[4]), words[separator + 1]);
        }
    }

    /// <summary>Blanks, tabs, newlines and backslashes are octal there.</summary>
    private static string Unescape(string text)
    {
        if (!text.Contains('\\'))
        {
            return text;
        }

        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            bool escaped = bytes[i] == '\\' && i + 3 < bytes.Length;
            bytes[length++] = escaped ? (byte)(((bytes[i + 1] - '0') << 6) | ((bytes[i + 2] - '0') << 3) | (bytes[i + 3] - '0')) : bytes[i];
            i += escaped ? 3 : 0;
        }

        return Encoding.UTF8.GetString(bytes, 0, length);
    }
}
