using System.Runtime.InteropServices;

namespace DeviceMapper.Native;

/// <summary>The system calls for memory that is not the allocator's: mapped, locked, left out of core files.</summary>
internal static partial class MemoryCalls
{
    /// <summary>PROT_READ | PROT_WRITE.</summary>
    public const int ReadWrite = 3;

    /// <summary>MAP_PRIVATE | MAP_ANONYMOUS.</summary>
    public const int PrivateAnonymous = 0x22;

    /// <summary>MADV_DONTDUMP.</summary>
    public const int DontDump = 16;

    /// <summary>MAP_FAILED.</summary>
    public const nint Failed = -1;

    /// <summary>mmap(2).</summary>
    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial nint Map(nint address, nuint length, int protection, int flags, int descriptor, long offset);

    /// <summary>munmap(2).</summary>
    [LibraryImport("libc", EntryPoint = "munmap")]
    public static partial int Unmap(nint address, nuint length);

    /// <summary>mlock(2).</summary>
    [LibraryImport("libc", EntryPoint = "mlock", SetLastError = true)]
    public static partial int Lock(nint address, nuint length);

    /// <summary>madvise(2).</summary>
    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    public static partial int Advise(nint address, nuint length, int advice);
}
