using System.Text;
using DeviceMapper.Io;

namespace DeviceMapper.Fuse.Mounting;

/// <summary>A mount, as /proc/self/mountinfo tells of it.</summary>
/// <param name="Number">Its st_dev: of a FUSE mount, the minor is the number of its connection; of a file system on a block device, mostly that device's.</param>
/// <param name="Folder">Where it is mounted.</param>
/// <param name="Type">The file system's type: <c>fuse.udm</c> is ours.</param>
/// <param name="Source">What was mounted: of a file system on a block device, its path.</param>
internal readonly record struct MountEntry(DeviceNumber Number, string Folder, string Type, string Source);

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
            if (separator >= 6 && separator + 2 < words.Length && DeviceNumber.TryParse(words[2], out DeviceNumber number))
            {
                yield return new MountEntry(number, Unescape(words[4]), words[separator + 1], Unescape(words[separator + 2]));
            }
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
