using System.Runtime.InteropServices;
using DeviceMapper.Native;

namespace Udm.Native;

/// <summary>A system call that waits for an answer: <c>struct seccomp_notif</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SeccompNotification
{
    public ulong Id;
    public uint Pid; // the thread's
    public uint Flags;
    public int Number;
    public uint Architecture;
    public ulong InstructionPointer;
    public fixed ulong Arguments[6];
}

/// <summary>The answer: <c>struct seccomp_notif_resp</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SeccompResponse
{
    public ulong Id;
    public long Value;
    public int Error; // negative errno
    public uint Flags;
}

/// <summary>A descriptor as the answer: <c>struct seccomp_notif_addfd</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SeccompDescriptor
{
    public ulong Id;
    public uint Flags;
    public int Source;
    public int Target;
    public uint TargetFlags;
}

/// <summary>The supervisor's calls on the listener of a seccomp filter (seccomp_unotify(2)).</summary>
internal static unsafe partial class Seccomp
{
    public const uint ContinueFlag = 1, SendFlag = 2;

    private const nuint Receive = 0xc0502100, Send = 0xc0182101, IdValid = 0x40082102, AddDescriptor = 0x40182103;
    private const nuint SetFlags = 0x40082104;
    private const nint SyncWakeUp = 1; // SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
    private const short PollIn = 1, PollError = 8, PollHangup = 16;

    // From Linux 6.11 on who waits for a call is told that no process with the filter is left; before, only poll tells.
    private static readonly bool ReceivingEnds = Environment.OSVersion.Version >= new Version(6, 11);

    /// <summary>Has callers woken, and us by them, on the processor that the other one runs on (from Linux 6.6 on): one of the two always waits.</summary>
    public static void WakeInPlace(int listener) => _ = ioctl(listener, SetFlags, (void*)SyncWakeUp);

    /// <summary>Waits for a call. False when no process with the filter is left.</summary>
    public static bool Next(int listener, out SeccompNotification notification)
    {
        while (true)
        {
            PollEntry entry = new() { Descriptor = listener, Events = PollIn };
            if (!ReceivingEnds && poll(&entry, 1, -1) < 0)
            {
                continue; // EINTR
            }

            SeccompNotification received = default; // the kernel insists on zeroes
            if ((ReceivingEnds || (entry.Result & PollIn) != 0) && ioctl(listener, Receive, &received) == 0)
            {
                notification = received;
                return true;
            }

            if ((entry.Result & PollIn) == 0 && !HasCallers(listener))
            {
                notification = default;
                return false;
            }
        }
    }

    /// <summary>Whether a process with the filter is left.</summary>
    public static bool HasCallers(int listener)
    {
        PollEntry entry = new() { Descriptor = listener };
        return poll(&entry, 1, 0) == 0 || (entry.Result & PollHangup) == 0;
    }

    /// <summary>Answers a call; the caller may be gone, and that is no error.</summary>
    public static void Answer(int listener, SeccompResponse response) => _ = ioctl(listener, Send, &response);

    /// <summary>Answers a call with a descriptor of its own for one of ours.</summary>
    public static bool AnswerDescriptor(int listener, SeccompDescriptor descriptor) => ioctl(listener, AddDescriptor, &descriptor) >= 0;

    /// <summary>Whether the caller still waits: its memory is its own, and nobody else has its number.</summary>
    public static bool StillWaits(int listener, ulong id) => ioctl(listener, IdValid, &id) == 0;

    /// <summary>Reads the memory of a process up to where it ends. Returns the number of bytes, or a number below 0.</summary>
    public static int ReadSome(uint pid, ulong address, Span<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            Vector local = new() { Base = (nint)start, Length = bytes.Length };
            Vector remote = new() { Base = (nint)address, Length = bytes.Length };
            return (int)process_vm_readv((int)pid, &local, 1, &remote, 1, 0);
        }
    }

    /// <summary>Writes to the memory of a process, in one piece.</summary>
    public static bool Write(uint pid, ulong address, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            Vector local = new() { Base = (nint)start, Length = bytes.Length };
            Vector remote = new() { Base = (nint)address, Length = bytes.Length };
            return process_vm_writev((int)pid, &local, 1, &remote, 1, 0) == bytes.Length;
        }
    }

    /// <summary>Opens a file. Returns the descriptor, or the errno below zero.</summary>
    public static int Open(string path, int flags)
    {
        int descriptor = open(path, flags);
        return descriptor >= 0 ? descriptor : -(int)Errnos.Last;
    }

    /// <summary>Makes a file that is only memory, for a text.</summary>
    public static int MemoryFile(ReadOnlySpan<byte> text)
    {
        int descriptor = memfd_create("udm", 1); // MFD_CLOEXEC
        fixed (byte* start = text)
        {
            _ = pwrite(descriptor, start, text.Length, 0);
        }

        return descriptor;
    }

    /// <summary>Makes a pipe: what a program holds in place of the control node, so that poll works on it.</summary>
    public static (int Read, int Write) Pipe()
    {
        int* ends = stackalloc int[2];
        return pipe2(ends, 0x80800) == 0 ? (ends[0], ends[1]) : throw new DeviceMapper.DmException(Errnos.Last, "no pipe can be made"); // CLOEXEC, NONBLOCK
    }

    /// <summary>Whether nobody has the reading end of a pipe open, by its writing end.</summary>
    public static bool HasNoReader(int pipe)
    {
        PollEntry entry = new() { Descriptor = pipe };
        return poll(&entry, 1, 0) == 1 && (entry.Result & PollError) != 0;
    }

    /// <summary>Puts a byte into a pipe.</summary>
    public static void Mark(int pipe)
    {
        byte mark = 1;
        _ = write(pipe, &mark, 1);
    }

    /// <summary>Empties a pipe, of which the writing end is given.</summary>
    public static void Drain(int pipe)
    {
        int reading = Open($"/proc/self/fd/{pipe}", 0x80800); // O_RDONLY | O_NONBLOCK | O_CLOEXEC
        byte* bytes = stackalloc byte[64];
        while (reading >= 0 && read(reading, bytes, 64) > 0)
        {
        }

        if (reading >= 0)
        {
            Close(reading);
        }
    }

    /// <summary>Reads what is in a pipe. Returns the number of bytes; 0 where nobody can write to it any more, below 0 where it is empty.</summary>
    public static int ReadPipe(int pipe, Span<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            return (int)read(pipe, start, bytes.Length);
        }
    }

    /// <summary>Closes a descriptor.</summary>
    public static void Close(int descriptor) => _ = close(descriptor);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Result;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Vector
    {
        public nint Base;
        public nint Length;
    }

    [LibraryImport("libc")]
    private static partial int poll(PollEntry* entries, nuint count, int timeout);

    [LibraryImport("libc")]
    private static partial int ioctl(int descriptor, nuint request, void* argument);

    [LibraryImport("libc")]
    private static partial nint process_vm_readv(int pid, Vector* local, nuint locals, Vector* remote, nuint remotes, nuint flags);

    [LibraryImport("libc")]
    private static partial nint process_vm_writev(int pid, Vector* local, nuint locals, Vector* remote, nuint remotes, nuint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc")]
    private static partial nint pwrite(int descriptor, byte* bytes, nint length, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int pipe2(int* ends, int flags);

    [LibraryImport("libc")]
    private static partial nint read(int descriptor, byte* bytes, nint length);

    [LibraryImport("libc")]
    private static partial nint write(int descriptor, byte* bytes, nint length);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);
}
