using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>What is said when a device that a table names cannot be found or opened.</summary>
internal static class OpenErrors
{
    private const int LongestWord = 100; // characters of a word that a sentence repeats

    /// <summary>The refusal for the errno of a system call.</summary>
    public static DmException Refusal(Errno errno, string word) => new(errno, $"{Quote(word)} {Reason(errno)}");

    /// <summary>A word in quotes, cut when it is very long.</summary>
    public static string Quote(string word) => word.Length <= LongestWord ? $"'{word}'" : $"'{word[..LongestWord]}…'";

    private static string Reason(Errno errno) => errno switch
    {
        Errno.ENOENT => "does not exist",
        Errno.ENOTDIR => "leads through something that is no folder",
        Errno.ELOOP => "is a symbolic link that leads back to itself",
        Errno.ENAMETOOLONG => "is longer than a path may be",
        Errno.EACCES or Errno.EPERM => "may not be opened by this user",
        Errno.EROFS => "lies on a file system that is mounted for reading only",
        Errno.ETXTBSY => "is a program that is running, or swap space",
        Errno.EBUSY => "is claimed by somebody else",
        Errno.ENXIO or Errno.ENODEV => "has no device behind it",
        Errno.EMFILE or Errno.ENFILE => "cannot be opened: all file descriptors are in use",
        Errno.ENOMEM => "cannot be opened: the system has no memory left for it",
        Errno.ENOSPC or Errno.EDQUOT => "cannot be made: its file system is full",
        Errno.EFBIG => "cannot be made: its file system, or a limit of this user's, allows no file of that size",
        Errno.EIO => "cannot be read",
        Errno.ESTALE => "was replaced by another file while it was being opened",
        _ => $"cannot be opened (error {(int)errno})",
    };
}
