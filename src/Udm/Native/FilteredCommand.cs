using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeviceMapper;
using DeviceMapper.Native;

namespace Udm.Native;

/// <summary>Starts a program, under a seccomp filter whose calls are sent to this process, or without one.</summary>
/// <remarks>
/// Between fork and execve only calls of <c>syscall</c> are made, by a pointer, in one method that is compiled before the fork: in the child
/// the runtime has no other thread that could compile, collect or unlock anything.
/// </remarks>
internal static unsafe partial class FilteredCommand
{
    private const int SysClose = 3, SysSigAction = 13, SysSigMask = 14, SysSendMessage = 46, SysExecve = 59, SysExit = 60, SysWrite = 1;
    private const int SysPrctl = 157, SysPrlimit = 302, SysSeccomp = 317;
    private const int SetNoNewPrivileges = 38, SetModeFilter = 1, NewListener = 8, WaitKillable = 32, NoFile = 7, SigPipe = 13, SetMask = 2;

    /// <summary>A program that was started.</summary>
    /// <param name="Pid">Its process.</param>
    /// <param name="Listener">Where its calls come from, and those of all its children; -1 without a filter.</param>
    public readonly record struct Started(int Pid, int Listener);

    /// <summary>Starts a program, with this process's environment, folder, and standard streams.</summary>
    /// <param name="path">The file.</param>
    /// <param name="words">Its arguments, its own name first.</param>
    /// <param name="filter">The filter's instructions, 8 bytes each; none for no filter.</param>
    /// <param name="noNewPrivileges">Whether it gives up setuid programs, as it must without root.</param>
    /// <exception cref="DmException">The filter is refused, or the program cannot be executed.</exception>
    public static Started Start(string path, IReadOnlyList<string> words, ReadOnlySpan<ulong> filter, bool noNewPrivileges)
    {
        nint libc = NativeLibrary.Load("libc.so.6");
        var fork = (delegate* unmanaged[SuppressGCTransition]<int>)NativeLibrary.GetExport(libc, "fork");
        var call = (delegate* unmanaged[SuppressGCTransition]<long, long, long, long, long, long, long>)NativeLibrary.GetExport(libc, "syscall");
        var error = (delegate* unmanaged[SuppressGCTransition]<int*>)NativeLibrary.GetExport(libc, "__errno_location");

        // All that the child needs, in memory of its own that nobody moves. The command's process has its copy, ours is kept: it is small.
        nint file = Marshal.StringToCoTaskMemUTF8(path);
        nint* arguments = Strings(words);
        List<string> variables = [];
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            variables.Add($"{variable.Key}={variable.Value}");
        }

        nint* environment = Strings(variables);
        ulong* instructions = (ulong*)NativeMemory.Alloc((nuint)filter.Length, sizeof(ulong));
        filter.CopyTo(new Span<ulong>(instructions, filter.Length));
        nint* program = (nint*)NativeMemory.AllocZeroed(2, (nuint)sizeof(nint));
        *(ushort*)program = (ushort)filter.Length;
        program[1] = (nint)instructions;

        int* sockets = stackalloc int[2];
        Check(socketpair(1, 1 | 0x80000, 0, sockets), "no socket can be made"); // AF_UNIX, SOCK_STREAM, CLOEXEC
        Message* message = Message.New();
        ulong* limits = stackalloc ulong[2];
        bool hasLimits = prlimit64(getppid(), NoFile, null, limits) == 0; // the runtime has raised ours
        if (hasLimits && filter.IsEmpty)
        {
            _ = prlimit64(0, NoFile, limits, null); // the child looks here for its own child
        }

        ulong all = ulong.MaxValue, before = 0;
        byte* defaults = stackalloc byte[32];
        new Span<byte>(defaults, 32).Clear();
        _ = call(SysSigMask, SetMask, (long)&all, (long)&before, 8, 0);
        int child = Fork(fork, call, error, sockets[1], file, arguments, environment, program, filter.IsEmpty ? null : message, noNewPrivileges, hasLimits ? limits : null, defaults, &before);
        _ = call(SysSigMask, SetMask, (long)&before, 0, 8, 0);
        _ = call(SysClose, sockets[1], 0, 0, 0, 0);
        Check(child, "no process can be made");
        return new Started(child, ReceiveListener(sockets[0], child, words[0], !filter.IsEmpty));
    }

    /// <summary>Waits for a process to end. Returns its status as waitpid(2) tells it.</summary>
    public static int Wait(int pid)
    {
        int status;
        while (waitpid(pid, &status, 0) < 0 && Errnos.Last == Errno.EINTR)
        {
        }

        return status;
    }

    /// <summary>Waits for any child to end. Null where there is none.</summary>
    /// <param name="status">Its status as waitpid(2) tells it.</param>
    public static int? WaitForAny(out int status)
    {
        int pid, told;
        while ((pid = waitpid(-1, &told, 0)) < 0 && Errnos.Last == Errno.EINTR)
        {
        }

        status = told;
        return pid < 0 ? null : pid;
    }

    /// <summary>Sends a signal.</summary>
    public static void Kill(int pid, int signal) => _ = kill(pid, signal);

    /// <summary>Ends this process by a signal, as another one ended.</summary>
    public static void EndBy(int signal)
    {
        ulong* none = stackalloc ulong[2];
        none[0] = none[1] = 0;
        _ = prlimit64(0, 4, none, null); // no core file: the other one has left its own
        byte* defaults = stackalloc byte[32];
        new Span<byte>(defaults, 32).Clear();
        _ = syscall(SysSigAction, signal, (nint)defaults, 0, 8);
        ulong nothing = 0;
        _ = syscall(SysSigMask, SetMask, (nint)(&nothing), 0, 8);
        _ = kill(System.Environment.ProcessId, signal);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static int Fork(
        delegate* unmanaged[SuppressGCTransition]<int> fork,
        delegate* unmanaged[SuppressGCTransition]<long, long, long, long, long, long, long> call,
        delegate* unmanaged[SuppressGCTransition]<int*> error,
        int socket,
        nint file,
        nint* arguments,
        nint* environment,
        nint* program,
        Message* message,
        bool noNewPrivileges,
        ulong* limits,
        byte* defaults,
        ulong* mask)
    {
        _ = error(); // whatever has to be bound is bound now
        int child = fork();
        if (child != 0)
        {
            return child;
        }

        if (limits != null)
        {
            _ = call(SysPrlimit, 0, NoFile, (long)limits, 0, 0);
        }

        _ = call(SysSigAction, SigPipe, (long)defaults, 0, 8, 0);
        if (noNewPrivileges)
        {
            _ = call(SysPrctl, SetNoNewPrivileges, 1, 0, 0, 0);
        }

        int failed = 0;
        long listener = message == null ? 0 : call(SysSeccomp, SetModeFilter, NewListener | WaitKillable, (long)program, 0, 0);
        if (listener < 0)
        {
            listener = call(SysSeccomp, SetModeFilter, NewListener, (long)program, 0, 0); // before Linux 5.19
        }

        if (listener < 0)
        {
            failed = *error();
        }
        else
        {
            if (message != null)
            {
                message->Descriptor = (int)listener;
                _ = call(SysSendMessage, socket, (long)message, 0, 0, 0);
                _ = call(SysClose, listener, 0, 0, 0, 0);
            }

            _ = call(SysSigMask, SetMask, (long)mask, 0, 8, 0);
            _ = call(SysExecve, (long)file, (long)arguments, (long)environment, 0, 0);
            failed = *error();
        }

        _ = call(SysWrite, socket, (long)&failed, sizeof(int), 0, 0);
        _ = call(SysExit, 127, 0, 0, 0, 0);
        return 0;
    }

    private static int ReceiveListener(int socket, int child, string name, bool filtered)
    {
        Message* message = Message.New();
        int listener = -1;
        byte* bytes = (byte*)message->Bytes;
        nint got = 1;
        if (filtered)
        {
            got = recvmsg(socket, message, 0x40000000); // MSG_CMSG_CLOEXEC
            listener = message->ControlLength != 0 ? message->Descriptor : -1;
        }

        bool refused = filtered && listener < 0; // what came is the first byte of the errno
        if (got == 1 && !refused)
        {
            got = recv(socket, bytes, sizeof(int), 0);
        }

        close(socket);
        if (got <= 0)
        {
            return listener; // executed: its end was closed by that
        }

        _ = Wait(child);
        Errno errno = (Errno)(*(int*)bytes);
        throw !refused
            ? new DmException(errno, $"{name} cannot be executed")
            : new DmException(errno, errno == Errno.EBUSY
                ? "this process is supervised already, by udm run or by a container's runtime, and the kernel has one supervisor for each process"
                : "no filter for system calls can be set up: the container's own filter forbids it, or the kernel is older than 5.5");
    }

    private static nint* Strings(IReadOnlyList<string> texts)
    {
        nint* strings = (nint*)NativeMemory.AllocZeroed((nuint)texts.Count + 1, (nuint)sizeof(nint));
        for (int i = 0; i < texts.Count; i++)
        {
            strings[i] = Marshal.StringToCoTaskMemUTF8(texts[i]);
        }

        return strings;
    }

    private static void Check(int result, string sentence)
    {
        if (result < 0)
        {
            throw new DmException(Errnos.Last, sentence);
        }
    }

    /// <summary><c>struct msghdr</c> of 64-bit Linux, with a byte and a descriptor.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        public nint Name;
        public nint NameLength;
        public nint Vectors;
        public nint VectorCount;
        public nint Control;
        public nint ControlLength;
        public nint Flags;
        public nint Bytes; // struct iovec
        public nint ByteCount;
        public nint DescriptorLength; // struct cmsghdr
        public int Level;
        public int Type;
        public int Descriptor;
        public int Padding;
        public long Data;

        public static Message* New()
        {
            var message = (Message*)NativeMemory.AllocZeroed((nuint)sizeof(Message));
            message->Vectors = (nint)(&message->Bytes);
            message->VectorCount = 1;
            message->Bytes = (nint)(&message->Data);
            message->ByteCount = 1;
            message->Control = (nint)(&message->DescriptorLength);
            message->ControlLength = 24;
            message->DescriptorLength = 20;
            message->Level = 1; // SOL_SOCKET
            message->Type = 1; // SCM_RIGHTS
            return message;
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socketpair(int domain, int type, int protocol, int* sockets);

    [LibraryImport("libc")]
    private static partial nint recvmsg(int socket, Message* message, int flags);

    [LibraryImport("libc")]
    private static partial nint recv(int socket, byte* bytes, nint length, int flags);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitpid(int pid, int* status, int options);

    [LibraryImport("libc")]
    private static partial int kill(int pid, int signal);

    [LibraryImport("libc")]
    private static partial int getppid();

    [LibraryImport("libc")]
    private static partial int prlimit64(int pid, int resource, ulong* limit, ulong* old);

    [LibraryImport("libc")]
    private static partial nint syscall(nint number, nint a, nint b, nint c, nint d);
}
