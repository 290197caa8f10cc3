using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeviceMapper.Io;

namespace DeviceMapper.Native;

/// <summary>A file descriptor, closed with it; calls on it finish what comes short and repeat what a signal interrupts.</summary>
internal sealed unsafe class OpenFile : SafeHandle
{
    private const int MaxVectors = 64; // of one call, on the stack

    private readonly int _descriptor;
    private bool _locked;

    private OpenFile(int descriptor)
        : base(-1, ownsHandle: true)
    {
        _descriptor = descriptor;
        SetHandle(descriptor);
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == -1;

    /// <summary>Opens a path; O_CLOEXEC is added.</summary>
    public static Errno TryOpen(string path, int flags, out OpenFile? file, uint mode = 0)
    {
        int descriptor;
        do
        {
            descriptor = LibC.Open(path, flags | LibC.O_CLOEXEC, mode);
        }
        while (descriptor < 0 && Errnos.Last == Errno.EINTR);

        file = descriptor < 0 ? null : new OpenFile(descriptor);
        return file is null ? Errnos.Last : Errno.None;
    }

    /// <summary>Its number, as long as it is open.</summary>
    public int Descriptor => _descriptor;

    /// <summary>Asks about it.</summary>
    public Errno TryGetStatus(out FileStatus status) => FileStatus.TryGet(_descriptor, out status);

    /// <summary>Fills a buffer.</summary>
    /// <param name="buffer">All of it is filled.</param>
    /// <param name="offset">From where, in bytes.</param>
    /// <param name="flags">RWF_* of preadv2.</param>
    /// <returns>EIO where the file ends before.</returns>
    public Errno Read(BioBuffer buffer, ulong offset, int flags = 0)
    {
        while (buffer.Length > 0)
        {
            nint done = buffer.IsContiguous && flags == 0
                ? LibC.PRead(_descriptor, buffer.Address, buffer.Length, (long)offset)
                : Vectored(buffer, offset, flags, write: false);
            if (done == 0)
            {
                return Errno.EIO;
            }

            if (!Advance(ref buffer, ref offset, done, out Errno error))
            {
                return error;
            }
        }

        return Errno.None;
    }

    /// <summary>Writes a buffer.</summary>
    /// <param name="buffer">All of it is written.</param>
    /// <param name="offset">To where, in bytes.</param>
    /// <param name="flags">RWF_* of pwritev2.</param>
    public Errno Write(BioBuffer buffer, ulong offset, int flags = 0)
    {
        while (buffer.Length > 0)
        {
            nint done = buffer.IsContiguous && flags == 0
                ? LibC.PWrite(_descriptor, buffer.Address, buffer.Length, (long)offset)
                : Vectored(buffer, offset, flags, write: true);
            if (done == 0)
            {
                return Errno.EIO;
            }

            if (!Advance(ref buffer, ref offset, done, out Errno error))
            {
                return error;
            }
        }

        return Errno.None;
    }

    /// <summary>Makes all data durable that was written, by whomever.</summary>
    public Errno Sync()
    {
        while (LibC.FDataSync(_descriptor) < 0)
        {
            Errno error = Errnos.Last;
            if (error != Errno.EINTR)
            {
                return error;
            }
        }

        return Errno.None;
    }

    /// <summary>Calls <c>fallocate(2)</c>.</summary>
    public Errno Allocate(int mode, ulong offset, ulong length)
    {
        while (LibC.FAllocate(_descriptor, mode, (long)offset, (long)length) < 0)
        {
            Errno error = Errnos.Last;
            if (error != Errno.EINTR)
            {
                return error;
            }
        }

        return Errno.None;
    }

    /// <summary>Sets the size of a file, in bytes.</summary>
    public Errno SetSize(ulong size) => LibC.FTruncate(_descriptor, (long)size) < 0 ? Errnos.Last : Errno.None;

    /// <summary>Finds the next data or hole at or after an offset.</summary>
    /// <param name="offset">In bytes.</param>
    /// <param name="whence">SEEK_DATA or SEEK_HOLE.</param>
    /// <param name="found">Where it starts, in bytes.</param>
    /// <returns>ENXIO: there is none up to the end.</returns>
    public Errno Seek(ulong offset, int whence, out ulong found)
    {
        long result = LibC.LSeek(_descriptor, (long)offset, whence);
        found = result < 0 ? 0 : (ulong)result;
        return result < 0 ? Errnos.Last : Errno.None;
    }

    /// <summary>Locks the whole file for this open file description.</summary>
    /// <param name="type">F_WRLCK: for nobody else; F_RDLCK: for others that read.</param>
    /// <returns>EAGAIN or EACCES: somebody else has it locked.</returns>
    public Errno Lock(short type)
    {
        FileLock whole = new() { Type = type };
        _locked = LibC.FcntlLock(_descriptor, LibC.F_OFD_SETLK, &whole) == 0;
        return _locked ? Errno.None : Errnos.Last;
    }

    /// <summary>
    /// Takes O_NONBLOCK off, which only its opening needed: of a file system that cannot read without waiting, io_uring would fail reads with EAGAIN
    /// in place of waiting for them.
    /// </summary>
    public void AllowWaiting() => _ = LibC.FcntlFlags(_descriptor, LibC.F_SETFL, LibC.FcntlFlags(_descriptor, LibC.F_GETFL, 0) & ~LibC.O_NONBLOCK);

    /// <summary>Calls <c>ioctl(2)</c> with a number that it reads or writes.</summary>
    public Errno Ioctl<T>(nuint request, ref T value)
        where T : unmanaged
    {
        fixed (T* address = &value)
        {
            return Ioctl(request, address);
        }
    }

    /// <summary>Calls an <c>ioctl(2)</c> that takes a range: two numbers of 64 bits.</summary>
    public Errno IoctlRange(nuint request, ulong offset, ulong length)
    {
        ulong* range = stackalloc ulong[2] { offset, length };
        return Ioctl(request, range);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        if (_locked)
        {
            // A child that was forked just now shares the description until it execs: the close alone would leave the lock to it.
            FileLock whole = new() { Type = LibC.F_UNLCK };
            _ = LibC.FcntlLock(_descriptor, LibC.F_OFD_SETLK, &whole);
        }

        return LibC.Close(_descriptor) == 0;
    }

    private Errno Ioctl(nuint request, void* argument)
    {
        while (LibC.Ioctl(_descriptor, request, argument) < 0)
        {
            Errno error = Errnos.Last;
            if (error != Errno.EINTR)
            {
                return error;
            }
        }

        return Errno.None;
    }

    [SkipLocalsInit]
    private nint Vectored(BioBuffer buffer, ulong offset, int flags, bool write)
    {
        IoVector* vectors = stackalloc IoVector[MaxVectors];
        int count = 0;
        foreach (BufferSegment segment in buffer)
        {
            vectors[count++] = new IoVector { Base = segment.Address, Length = segment.Length };
            if (count == MaxVectors)
            {
                break;
            }
        }

        return write
            ? LibC.PWriteV2(_descriptor, vectors, count, (long)offset, flags)
            : LibC.PReadV2(_descriptor, vectors, count, (long)offset, flags);
    }

    /// <summary>Takes what a call did off the rest.</summary>
    /// <returns>False where it failed.</returns>
    private static bool Advance(ref BioBuffer buffer, ref ulong offset, nint done, out Errno error)
    {
        if (done < 0)
        {
            error = Errnos.Last;
            return error == Errno.EINTR;
        }

        error = Errno.None;
        buffer = buffer.Slice((int)done, buffer.Length - (int)done);
        offset += (ulong)done;
        return true;
    }
}
