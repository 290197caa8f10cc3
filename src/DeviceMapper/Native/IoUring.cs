using System.Runtime.InteropServices;

namespace DeviceMapper.Native;

/// <summary>
/// An io_uring of the kernel with the files and the eventfd that it works on, registered: entries are written and sent by <see cref="Enter"/>,
/// and what has ended is taken. For one thread, which makes it, uses it and closes it; only <see cref="Wake"/> is for the others.
/// </summary>
internal sealed unsafe partial class IoUring : IDisposable
{
    /// <summary>What an entry does.</summary>
    public const byte ReadVector = 1, WriteVector = 2, Sync = 3, Read = 22, Write = 23;

    /// <summary>Of <see cref="Entry.Flags"/>: the kernel's own threads do it, and may wait.</summary>
    public const byte Async = 16;

    /// <summary>Of <see cref="Entry.OperationFlags"/> of <see cref="Sync"/>: the data, not the times.</summary>
    public const uint DataOnly = 1;

    private const int SetupCall = 425, EnterCall = 426, RegisterCall = 427; // on every architecture
    private const uint OneIssuer = 1 << 12, DeferWork = 1 << 13; // IORING_SETUP_*; Linux 6.1
    private const uint OneMapping = 1, NoDrop = 2, StableSubmit = 4, PlainReads = 8; // IORING_FEAT_*; all since Linux 5.6
    private const uint Needed = OneMapping | NoDrop | StableSubmit | PlainReads;
    private const uint GetEvents = 1; // IORING_ENTER_*
    private const int RegisterFiles = 2, UnregisterFiles = 3;
    private const byte FixedFile = 1; // IOSQE_*
    private const long EntriesOffset = 0x10000000; // of the mapping of the entries
    private const int CompletionLength = 16; // bytes
    private const int MAP_SHARED = 1, MAP_POPULATE = 0x8000;
    private const int EFD_CLOEXEC = 0x80000;

    private readonly int _ring;
    private readonly int _wake; // eventfd
    private readonly int _wakeFile; // its index among the registered ones
    private readonly ulong* _wakeCount = (ulong*)NativeMemory.AllocZeroed(sizeof(ulong)); // what a read of it fills
    private nint _rings; // one mapping of both rings' heads, tails and completions
    private nint _ringsLength;
    private Entry* _entries;
    private nint _entriesLength;
    private uint _mask;
    private uint _completionMask;
    private uint* _head; // of the submission ring, the kernel's
    private uint* _tail; // ours
    private uint* _completionHead; // ours
    private uint* _completionTail; // the kernel's
    private byte* _completions;
    private uint _filled; // entries so far

    private IoUring(int ring, int wake, int files)
    {
        _ring = ring;
        _wake = wake;
        _wakeFile = files;
    }

    /// <summary>Makes one.</summary>
    /// <param name="entries">How many entries, a power of two; twice as many completions.</param>
    /// <param name="files">Entries name them by their indices.</param>
    /// <param name="ring">What was made.</param>
    /// <returns>ENOSYS, EPERM: the kernel, a seccomp filter or an administrator has none for us.</returns>
    public static Errno TryCreate(uint entries, ReadOnlySpan<int> files, out IoUring? ring)
    {
        ring = null;
        Parameters parameters = new() { Flags = OneIssuer | DeferWork };
        nint descriptor = Call(SetupCall, (nint)entries, (nint)(&parameters), 0, 0, 0, 0);
        if (descriptor < 0 && Errnos.Last == Errno.EINVAL)
        {
            parameters = default;
            descriptor = Call(SetupCall, (nint)entries, (nint)(&parameters), 0, 0, 0, 0);
        }

        if (descriptor < 0)
        {
            return Errnos.Last;
        }

        IoUring made = new((int)descriptor, EventFd(0, EFD_CLOEXEC), files.Length);
        Errno error = (parameters.Features & Needed) != Needed ? Errno.ENOSYS : made._wake < 0 ? Errno.EMFILE : made.Map(parameters);
        error = error == Errno.None ? made.Register(files) : error;
        if (error != Errno.None)
        {
            made.Dispose();
            return error;
        }

        ring = made;
        return Errno.None;
    }

    /// <summary>The next entry, empty but for its file. The caller sees to it that there is room.</summary>
    /// <param name="file">The index of a registered file.</param>
    public Entry* Next(int file)
    {
        Entry* entry = _entries + (_filled++ & _mask);
        *entry = new Entry { Flags = FixedFile, File = file };
        return entry;
    }

    /// <summary>An entry that ends when another thread calls <see cref="Wake"/>.</summary>
    public void AwaitWake(ulong userData)
    {
        Entry* entry = Next(_wakeFile);
        entry->Operation = Read;
        entry->Address = (ulong)_wakeCount;
        entry->Length = sizeof(ulong);
        entry->UserData = userData;
    }

    /// <summary>Ends <see cref="AwaitWake"/>, now or as soon as it is there. On any thread, before <see cref="Dispose"/>.</summary>
    public void Wake()
    {
        ulong one = 1;
        _ = WriteWake(_wake, &one, sizeof(ulong));
    }

    /// <summary>Sends the entries, and returns when so many have ended, or a signal came.</summary>
    public void Enter(uint ends)
    {
        Volatile.Write(ref *_tail, _filled);
        uint left = _filled - Volatile.Read(ref *_head);
        if (Call(EnterCall, _ring, (nint)left, (nint)ends, (nint)GetEvents, 0, 0) < 0)
        {
            Errno error = Errnos.Last;
            if (error is not (Errno.EINTR or Errno.EAGAIN or Errno.EBUSY or Errno.ENOMEM)) // short of something: what was not taken is sent again
            {
                throw new InvalidOperationException($"io_uring_enter failed: {error.Text()}");
            }
        }
    }

    /// <summary>Whether the kernel has taken all entries, and what they point to beside their data.</summary>
    public bool IsSent => Volatile.Read(ref *_head) == _filled;

    /// <summary>Takes an entry's end.</summary>
    /// <param name="userData">The entry's.</param>
    /// <param name="result">What the system call would have returned, or an errno below zero.</param>
    public bool TryTake(out ulong userData, out int result)
    {
        uint head = *_completionHead;
        if (head == Volatile.Read(ref *_completionTail))
        {
            userData = 0;
            result = 0;
            return false;
        }

        byte* completion = _completions + ((head & _completionMask) * CompletionLength);
        userData = *(ulong*)completion;
        result = *(int*)(completion + sizeof(ulong));
        Volatile.Write(ref *_completionHead, head + 1);
        return true;
    }

    /// <summary>Closes it. No entry is under way.</summary>
    public void Dispose()
    {
        if (_rings != 0)
        {
            // The kernel takes a ring apart some time after its close: until then it would hold the files open.
            _ = Call(RegisterCall, _ring, UnregisterFiles, 0, 0, 0, 0);
            _ = LibC.MUnmap((nint)_entries, _entriesLength);
            _ = LibC.MUnmap(_rings, _ringsLength);
        }

        _ = LibC.Close(_ring);
        if (_wake >= 0)
        {
            _ = LibC.Close(_wake);
        }

        NativeMemory.Free(_wakeCount);
    }

    private Errno Map(in Parameters parameters)
    {
        _ringsLength = (nint)Math.Max(
            parameters.Submission.Array + (parameters.Entries * sizeof(uint)),
            parameters.Completion.Completions + (parameters.CompletionEntries * CompletionLength));
        _entriesLength = (nint)parameters.Entries * sizeof(Entry);
        nint rings = LibC.MMap(0, _ringsLength, LibC.PROT_READ | LibC.PROT_WRITE, MAP_SHARED | MAP_POPULATE, _ring, 0);
        if (rings == -1)
        {
            return Errnos.Last;
        }

        nint entries = LibC.MMap(0, _entriesLength, LibC.PROT_READ | LibC.PROT_WRITE, MAP_SHARED | MAP_POPULATE, _ring, EntriesOffset);
        if (entries == -1)
        {
            Errno error = Errnos.Last;
            _ = LibC.MUnmap(rings, _ringsLength);
            return error;
        }

        _rings = rings;
        _entries = (Entry*)entries;
        byte* start = (byte*)rings;
        _head = (uint*)(start + parameters.Submission.Head);
        _tail = (uint*)(start + parameters.Submission.Tail);
        _mask = *(uint*)(start + parameters.Submission.Mask);
        _completionHead = (uint*)(start + parameters.Completion.Head);
        _completionTail = (uint*)(start + parameters.Completion.Tail);
        _completionMask = *(uint*)(start + parameters.Completion.Mask);
        _completions = start + parameters.Completion.Completions;
        uint* array = (uint*)(start + parameters.Submission.Array);
        for (uint i = 0; i < parameters.Entries; i++)
        {
            array[i] = i; // entries are sent in the order of their places
        }

        return Errno.None;
    }

    private Errno Register(ReadOnlySpan<int> files)
    {
        int* all = stackalloc int[files.Length + 1];
        files.CopyTo(new Span<int>(all, files.Length));
        all[files.Length] = _wake;
        return Call(RegisterCall, _ring, RegisterFiles, (nint)all, files.Length + 1, 0, 0) < 0 ? Errnos.Last : Errno.None;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Call(nint number, nint a, nint b, nint c, nint d, nint e, nint f);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteWake(int fd, ulong* count, nint length);

    /// <summary><c>struct io_uring_sqe</c>.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    public struct Entry
    {
        public byte Operation;
        public byte Flags;
        public ushort Priority;
        public int File;
        public ulong Offset;
        public ulong Address;
        public uint Length; // bytes, or vectors
        public uint OperationFlags;
        public ulong UserData;
    }

    /// <summary><c>struct io_uring_params</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Parameters
    {
        public uint Entries;
        public uint CompletionEntries;
        public uint Flags;
        public uint PollProcessor;
        public uint PollIdle;
        public uint Features;
        public fixed uint Unused[4];
        public SubmissionOffsets Submission;
        public CompletionOffsets Completion;
    }

    /// <summary><c>struct io_sqring_offsets</c>.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 40)]
    private struct SubmissionOffsets
    {
        public uint Head;
        public uint Tail;
        public uint Mask;
        public uint Count;
        public uint Flags;
        public uint Dropped;
        public uint Array;
    }

    /// <summary><c>struct io_cqring_offsets</c>.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 40)]
    private struct CompletionOffsets
    {
        public uint Head;
        public uint Tail;
        public uint Mask;
        public uint Count;
        public uint Overflow;
        public uint Completions;
    }
}
