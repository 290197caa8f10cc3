using System.Runtime.InteropServices;

namespace DeviceMapper.Native;

/// <summary>Linux's error numbers, as far as they are used, with their values on every architecture that .NET runs on.</summary>
public enum Errno
{
#pragma warning disable CS1591 // each is documented by errno(3); its text is Errnos.Text
    None = 0,
    EPERM = 1,
    ENOENT = 2,
    EINTR = 4,
    EIO = 5,
    ENXIO = 6,
    E2BIG = 7,
    EBADF = 9,
    EAGAIN = 11,
    ENOMEM = 12,
    EACCES = 13,
    EFAULT = 14,
    ENOTBLK = 15,
    EBUSY = 16,
    EEXIST = 17,
    EXDEV = 18,
    ENODEV = 19,
    ENOTDIR = 20,
    EISDIR = 21,
    EINVAL = 22,
    ENFILE = 23,
    EMFILE = 24,
    ENOTTY = 25,
    ETXTBSY = 26,
    EFBIG = 27,
    ENOSPC = 28,
    ESPIPE = 29,
    EROFS = 30,
    EPIPE = 32,
    ERANGE = 34,
    ENAMETOOLONG = 36,
    ENOSYS = 38,
    ENOTEMPTY = 39,
    ELOOP = 40,
    ENODATA = 61,
    ENOLINK = 67,
    EPROTO = 71,
    EBADMSG = 74,
    EOVERFLOW = 75,
    EILSEQ = 84,
    EOPNOTSUPP = 95,
    EADDRINUSE = 98,
    ECONNRESET = 104,
    ENOTCONN = 107,
    ETIMEDOUT = 110,
    ECONNREFUSED = 111,
    EALREADY = 114,
    ESTALE = 116,
    EDQUOT = 122,
    ENOKEY = 126,
    EKEYREJECTED = 129,
#pragma warning restore CS1591
}

/// <summary>What the C library says of errnos.</summary>
public static class Errnos
{
    /// <summary>The C library's text, as <c>strerror(3)</c>.</summary>
    public static string Text(this Errno errno) => Marshal.GetPInvokeErrorMessage((int)errno);

    /// <summary>The errno of the last call made through <c>LibraryImport(SetLastError = true)</c> on this thread.</summary>
    public static Errno Last => (Errno)Marshal.GetLastPInvokeError();
}
