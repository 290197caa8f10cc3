using System.Runtime.InteropServices;
using DeviceMapper.Fuse.Protocol;
using DeviceMapper.Native;
using Microsoft.Extensions.Logging;

namespace DeviceMapper.Fuse.Operations;

/// <summary>INIT: the first request; agrees on version, sizes and features.</summary>
internal static class InitOperation
{
    /// <summary>The version of the protocol that we speak: 7.39, of Linux 6.6.</summary>
    public const uint Major = 7, Minor = 39;

    /// <summary>The oldest that we can talk to: 7.28, of Linux 4.20, the first with requests of 1 MiB.</summary>
    public const uint OldestMinor = 28;

    private const uint AsyncRead = 1 << 0, BigWrites = 1 << 5, AsyncDirectIo = 1 << 15, ParallelDirectoryOperations = 1 << 18, AbortError = 1 << 21,
        MaxPages = 1 << 22, ExtendedInit = 1 << 30;

    // In the second word. Lets mmap(MAP_SHARED) work on files that are else read and written directly.
    private const uint DirectIoAllowMmap = 1 << (36 - 32);

    public static void Handle(FuseServer server, in FuseRequest request)
    {
        if (!request.TryRead(out FuseInitIn init))
        {
            server.Connection.Refuse(request.Unique, Errno.EPROTO);
            return;
        }

        if (init.Major > Major)
        {
            // The kernel asks again with our major version.
            server.Connection.Reply(request.Unique, new FuseInitOut { Major = Major, Minor = Minor });
            return;
        }

        if (init.Major < Major || init.Minor < OldestMinor)
        {
            server.Logger.LogError("fuse: the kernel speaks version {Major}.{Minor}; {OurMajor}.{OldestMinor} or later is needed", init.Major, init.Minor, Major, OldestMinor);
            server.Connection.Refuse(request.Unique, Errno.EPROTO);
            return;
        }

        const int Flags2Offset = 16;
        uint flags2 = (init.Flags & ExtendedInit) != 0 && request.Body.Length >= Flags2Offset + sizeof(uint)
            ? MemoryMarshal.Read<uint>(request.Body[Flags2Offset..])
            : 0;

        // No writeback cache: it makes sequential reads and random writes several times slower here.
        // No O_TRUNC in OPEN: the kernel would take the size for 0 from then on, and a device keeps its size.
        server.Connection.Reply(request.Unique, new FuseInitOut
        {
            Major = Major,
            Minor = Math.Min(Minor, init.Minor),
            MaxReadahead = init.MaxReadahead,
            Flags = init.Flags & (AsyncRead | BigWrites | AsyncDirectIo | ParallelDirectoryOperations | AbortError | MaxPages | ExtendedInit),
            Flags2 = flags2 & DirectIoAllowMmap,
            // Asynchronous I/O and RELEASE count against this, of all devices together: those parked on a suspended device
            // must not hold up the others.
            MaxBackground = ushort.MaxValue,
            CongestionThreshold = ushort.MaxValue,
            MaxWrite = IoBuffers.MaxRequest,
            TimeGranularity = 1,
            MaxPages = IoBuffers.MaxRequest / 4096,
        });
        server.Initialized.Set();
    }
}
