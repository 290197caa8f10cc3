using System.Runtime.InteropServices;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>
/// Reads, writes and flushes of a <see cref="DescriptorBackend"/> by an io_uring, so that a thread that has plugged need not wait for them. A
/// thread of its own sends what others have queued, many at once, and ends it. The ring is made when it is needed first.
/// </summary>
/// <remarks>
/// One ring and thread a backend: an io_uring runs the ends of its entries on the thread that sent them, so a front end's thread that
/// is busy, or waits for a client, would hold up everybody's bios; and one ring for all backends would end all bios on one processor.
/// </remarks>
internal sealed unsafe class RingIo : IPlugged, IDisposable
{
    private const int Slots = 255; // entries under way; with the one that waits to be woken, the ring is full
    private const ulong WakeData = ulong.MaxValue;
    private const int FileIndex = 0, DirectIndex = 1;
    private const int LargestAlone = 32 << 10; // bytes; a longer wait costs more than another thread's turn
    private const int VectorCount = 1024; // of all entries that are sent together
    private const int MaxVectors = 64; // of one entry

    [ThreadStatic]
    private static RingIo? _current; // whose thread this is

    private readonly DescriptorBackend _backend;
    private readonly bool _always;
    private readonly Lock _lock = new(); // of the thread's start, and of wakes, none of which may come after its end
    private readonly ManualResetEventSlim _started = new();
    private IoUring? _ring;
    private Thread? _thread;
    private volatile bool _missing;
    private volatile bool _closing;
    private Bio? _queued; // last to first, linked by Next
    private int _unended; // queued or under way
    private int _asleep; // the ring's thread waits for an entry's end

    // Of the ring's thread, which makes them: most of very many backends never have one.
    private Slot[] _slots = [];
    private int[] _free = [];
    private IoVector[] _vectors = [];
    private int _freeCount;
    private int _vectorCount;
    private Bio? _first; // taken from the queue, without a slot yet
    private bool _awaitsWake;

    /// <summary>Makes it for a backend.</summary>
    /// <param name="backend">Whose descriptors it uses, and who does what is better done at once.</param>
    /// <param name="always">Whether nothing is better done at once.</param>
    public RingIo(DescriptorBackend backend, bool always)
    {
        _backend = backend;
        _always = always;
    }

    /// <summary>Makes the ring, unless it is there.</summary>
    /// <returns>Whether the kernel has one for us.</returns>
    public bool TryStart()
    {
        lock (_lock)
        {
            if (_thread is null)
            {
                _thread = new Thread(Run) { IsBackground = true, Name = "udm-ring" };
                _thread.Start();
                _started.Wait();
            }
        }

        return !_missing;
    }

    /// <summary>Takes a bio, which is within the size.</summary>
    /// <returns>False where there is no ring.</returns>
    public bool TryTake(Bio bio)
    {
        if (_missing)
        {
            return false;
        }

        Interlocked.Increment(ref _unended);
        bio.Next = null;
        Queue(bio, bio);
        if (!Plug.TryHold(this))
        {
            Unplug();
        }

        return true;
    }

    /// <summary>Tells the ring's thread of what is queued. A small bio that is all that there is to do is done at once.</summary>
    public void Unplug()
    {
        if (_current == this)
        {
            return; // it looks at the queue next
        }

        if (!_always && _current is null && Volatile.Read(ref _unended) == 1 && Interlocked.Exchange(ref _queued, null) is { } bio)
        {
            if (bio.Next is null && bio.HasData && bio.Buffer.Length <= LargestAlone && (bio.Flags & BioFlags.NoWait) == 0)
            {
                DoHere(bio);
                return;
            }

            Bio first = bio;
            while (first.Next is not null)
            {
                first = first.Next;
            }

            Queue(bio, first);
        }

        if (!TryStart())
        {
            for (Bio? next = Interlocked.Exchange(ref _queued, null); next is not null;)
            {
                Bio all = next;
                next = all.Next;
                DoHere(all);
            }
        }
        else if (Interlocked.Exchange(ref _asleep, 0) == 1)
        {
            Wake();
        }
    }

    /// <summary>Ends its thread, after what is under way.</summary>
    public void Dispose()
    {
        Wake(closing: true);
        _thread?.Join();
        _started.Dispose();
    }

    private void Wake(bool closing = false)
    {
        lock (_lock)
        {
            bool ends = _closing;
            _closing |= closing;
            if (!ends && !_missing)
            {
                _ring?.Wake();
            }
        }
    }

    /// <summary>Queues a chain of bios.</summary>
    private void Queue(Bio last, Bio first)
    {
        Bio? before = Volatile.Read(ref _queued);
        while (true)
        {
            first.Next = before;
            Bio? now = Interlocked.CompareExchange(ref _queued, last, before);
            if (now == before)
            {
                return;
            }

            before = now;
        }
    }

    private void DoHere(Bio bio)
    {
        bio.Next = null;
        BioStatus status = _backend.Do(bio);
        Interlocked.Decrement(ref _unended);
        bio.End(status);
    }

    private void Run()
    {
        Errno error = IoUring.TryCreate(Slots + 1, [_backend.File.Descriptor, (_backend.Direct ?? _backend.File).Descriptor], out _ring);
        _missing = error != Errno.None;
        _started.Set();
        if (_missing)
        {
            return;
        }

        _slots = new Slot[Slots];
        _free = [.. Enumerable.Range(0, Slots)];
        _freeCount = Slots;
        _vectors = GC.AllocateUninitializedArray<IoVector>(VectorCount, pinned: true);

        _current = this;
        Plug.Start();
        while (!_closing || _awaitsWake || Volatile.Read(ref _unended) != 0)
        {
            if (!_awaitsWake && !_closing)
            {
                _ring!.AwaitWake(WakeData);
                _awaitsWake = true;
            }

            Send();
            while (_ring!.TryTake(out ulong slot, out int result))
            {
                if (slot == WakeData)
                {
                    _awaitsWake = false;
                }
                else
                {
                    Ended((int)slot, result);
                }
            }

            Plug.Flush();
        }

        Plug.Finish();
        _ring!.Dispose();
    }

    /// <summary>Sends what is queued, and waits until something has ended, or is queued.</summary>
    private void Send()
    {
        TakeQueued();
        Volatile.Write(ref _asleep, 1);
        Interlocked.MemoryBarrier();
        bool more = Volatile.Read(ref _queued) is not null && _freeCount > 0;
        _ring!.Enter(more ? 0u : 1u);
        Volatile.Write(ref _asleep, 0);
        _vectorCount = _ring.IsSent ? 0 : _vectorCount;
    }

    private void TakeQueued()
    {
        while (_freeCount > 0)
        {
            if (_first is null)
            {
                for (Bio? last = Interlocked.Exchange(ref _queued, null); last is not null;)
                {
                    Bio bio = last;
                    last = bio.Next;
                    bio.Next = _first;
                    _first = bio;
                }
            }

            if (_first is not { } first)
            {
                return;
            }

            _first = first.Next;
            first.Next = null;
            int index = _free[--_freeCount];
            ref Slot slot = ref _slots[index];
            slot.Bio = first;
            slot.Left = first.Buffer;
            slot.Offset = first.Sector.Bytes;
            slot.Direct = first.HasData && _backend.IsDirectFor(first);
            slot.Operation = first.Operation;
            slot.Durable = first.Operation == BioOperation.Write && (first.Flags & BioFlags.Fua) != 0;
            slot.FlushesAfter = false;
            Fill(index, ref slot, flags: 0);
        }
    }

    /// <summary>Makes the entry of what is left of a bio.</summary>
    private void Fill(int index, ref Slot slot, byte flags)
    {
        IoUring.Entry* entry = _ring!.Next(slot.Direct ? DirectIndex : FileIndex);
        entry->Flags |= flags;
        entry->UserData = (ulong)index;
        if (slot.Operation == BioOperation.Flush)
        {
            entry->Operation = IoUring.Sync;
            entry->OperationFlags = IoUring.DataOnly;
            return;
        }

        bool write = slot.Operation == BioOperation.Write;
        entry->Offset = slot.Offset;
        entry->OperationFlags = slot.Durable ? LibC.RWF_DSYNC : 0u;
        BioBuffer buffer = slot.Left;
        if (slot.Direct && !buffer.IsAligned(_backend.MemoryAlignment))
        {
            int length = Math.Min(buffer.Length, BufferPool.MaxLength);
            slot.Bounce = slot.Bounce.Address == 0 ? BufferPool.Rent(length) : slot.Bounce;
            buffer = new BioBuffer(slot.Bounce.Address, Math.Min(length, slot.Bounce.Length));
            if (write)
            {
                slot.Left.Slice(0, buffer.Length).CopyTo(buffer.Span);
            }
        }

        if (buffer.IsContiguous || _vectorCount + MaxVectors > VectorCount)
        {
            FillPlain(entry, write, buffer);
        }
        else
        {
            FillVectors(entry, write, buffer);
        }
    }

    /// <summary>The first piece; what lies behind it follows when it has ended.</summary>
    private static void FillPlain(IoUring.Entry* entry, bool write, BioBuffer buffer)
    {
        entry->Operation = write ? IoUring.Write : IoUring.Read;
        foreach (BufferSegment first in buffer)
        {
            entry->Address = (ulong)first.Address;
            entry->Length = (uint)first.Length;
            break;
        }
    }

    /// <summary>As many pieces as an entry takes. The kernel reads the vectors when the entry is sent.</summary>
    private void FillVectors(IoUring.Entry* entry, bool write, BioBuffer buffer)
    {
        entry->Operation = write ? IoUring.WriteVector : IoUring.ReadVector;
        entry->Address = (ulong)Marshal.UnsafeAddrOfPinnedArrayElement(_vectors, _vectorCount);
        foreach (BufferSegment segment in buffer)
        {
            _vectors[_vectorCount++] = new IoVector { Base = segment.Address, Length = segment.Length };
            if (++entry->Length == MaxVectors)
            {
                break;
            }
        }
    }

    /// <summary>An entry has ended: goes on with the rest of its bio, or tries it in another way, or ends it.</summary>
    private void Ended(int index, int result)
    {
        ref Slot slot = ref _slots[index];
        Errno error = result < 0 ? (Errno)(-result) : Errno.None;
        switch (error)
        {
            case Errno.EINTR:
                Fill(index, ref slot, flags: 0);
                return;
            case Errno.EAGAIN:
                Fill(index, ref slot, IoUring.Async); // it cannot be done without waiting
                return;
            case Errno.EINVAL when slot.Direct:
                slot.Direct = false; // not aligned as this file wants it
                FreeBounce(ref slot);
                Fill(index, ref slot, flags: 0);
                return;
            case Errno.EOPNOTSUPP when slot.Durable:
                slot.Durable = false;
                slot.FlushesAfter = true;
                Fill(index, ref slot, flags: 0);
                return;
        }

        if (error == Errno.None && slot.Operation != BioOperation.Flush)
        {
            if (result == 0)
            {
                error = Errno.EIO; // the file ends here
            }
            else if (!IsDone(ref slot, result))
            {
                Fill(index, ref slot, flags: 0);
                return;
            }
        }

        Bio bio = slot.Bio!;
        FreeBounce(ref slot);
        slot = default;
        _free[_freeCount++] = index;
        Interlocked.Decrement(ref _unended);
        bio.End(BioStatusErrno.FromErrno(error));
    }

    private static void FreeBounce(ref Slot slot)
    {
        if (slot.Bounce.Address != 0)
        {
            BufferPool.Return(slot.Bounce);
            slot.Bounce = default;
        }
    }

    /// <summary>Takes off what has been read or written.</summary>
    /// <returns>Whether that was all.</returns>
    private static bool IsDone(ref Slot slot, int bytes)
    {
        if (slot.Operation == BioOperation.Read && slot.Bounce.Address != 0)
        {
            slot.Left.Slice(0, bytes).CopyFrom(slot.Bounce.Span[..bytes]);
        }

        slot.Left = slot.Left.Slice(bytes, slot.Left.Length - bytes);
        slot.Offset += (uint)bytes;
        if (slot.Left.Length > 0)
        {
            return false;
        }

        if (!slot.FlushesAfter)
        {
            return true;
        }

        slot.Operation = BioOperation.Flush;
        return false;
    }

    /// <summary>A bio of which an entry is under way.</summary>
    private struct Slot
    {
        public Bio? Bio;
        public BioOperation Operation; // of the entry
        public BioBuffer Left;
        public ulong Offset; // bytes
        public bool Direct;
        public bool Durable;
        public bool FlushesAfter;
        public BufferSegment Bounce; // where its own memory cannot be used; without an address if there is none
    }
}
