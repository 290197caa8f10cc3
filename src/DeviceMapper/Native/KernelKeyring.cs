using System.Runtime.InteropServices;
using DeviceMapper.Cryptography;

namespace DeviceMapper.Native;

/// <summary>The kernel's keyrings (keyrings(7)).</summary>
internal static unsafe partial class KernelKeyring
{
    private const int ReadKey = 11; // KEYCTL_READ

    private static nint RequestKeyNumber => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 249 : 218;

    private static nint KeyctlNumber => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 250 : 219;

    /// <summary>Reads a key that the process may search for.</summary>
    /// <exception cref="DmException">ENOKEY: there is none. Other errnos: it exists, and cannot be read.</exception>
    public static SecretMemory Read(string type, string description)
    {
        nint id = RequestKey(RequestKeyNumber, type, description, null, 0);
        if (id < 0)
        {
            Errno errno = Errnos.Last;
            throw new DmException(errno == Errno.ENOSYS ? Errno.ENOKEY : errno, $"the keyrings of this process have no key '{type}:{description}'");
        }

        if (type != "user")
        {
            throw new DmException(Errno.EACCES, $"the kernel keeps the key '{type}:{description}' to itself: use one of type user");
        }

        nint size = Keyctl(KeyctlNumber, ReadKey, id, null, 0);
        SecretMemory key = new(size < 0 ? 0 : (int)size);
        if (size < 0 || Keyctl(KeyctlNumber, ReadKey, id, key.Address, size) != size)
        {
            key.Dispose();
            throw new DmException(Errnos.Last, $"the key '{type}:{description}' cannot be read");
        }

        return key;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint RequestKey(nint number, string type, string description, string? calloutInfo, nint keyring);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Keyctl(nint number, nint operation, nint key, byte* buffer, nint length);
}
