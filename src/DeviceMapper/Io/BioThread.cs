using System.Collections.Concurrent;

namespace DeviceMapper.Io;

/// <summary>
/// What the data path keeps for each thread: its pool of bios, its list of bios to submit, and the index of its
/// counters in every mapped device.
/// </summary>
internal sealed class BioThread
{
    /// <summary>Bios that a thread keeps; beyond, half of them go to the shared stock.</summary>
    public const int PoolLimit = 512;

    /// <summary>Threads that have counters of their own. Any further ones share the last index, and count atomically.</summary>
    public const int SlotCount = 32;

    /// <summary>The index that threads beyond the limit share.</summary>
    public const int SharedSlot = SlotCount - 1;

    /// <summary>Cells for the last targets of tables: more than a stack of devices has tables with several targets.</summary>
    public const int LookupCells = 16;

    // Threads that only submit, and threads that only complete, exist: the stock carries bios from these to those.
    private static readonly ConcurrentBag<Bio> _stock = [];
    private static readonly ConcurrentStack<int> _freeSlots = new(Enumerable.Range(0, SharedSlot).Reverse());

    [ThreadStatic]
    private static BioThread? _current;

    private bool _submitting;
    private Bio? _head; // bios to submit, first to last, linked by Next
    private Bio? _tail;

    private BioThread() => Slot = _freeSlots.TryPop(out int slot) ? slot : SharedSlot;

    /// <summary>A thread's index is free again when it has ended and this is collected; its counters just go on from where they are.</summary>
    ~BioThread()
    {
        if (Slot != SharedSlot)
        {
            _freeSlots.Push(Slot);
        }
    }

    /// <summary>This thread's.</summary>
    public static BioThread Current => _current ?? (_current = new BioThread());

    /// <summary>The index of this thread's counters.</summary>
    public int Slot { get; }

    /// <summary>Whether it is in the middle of a submission: what is submitted now only joins the list.</summary>
    public bool IsSubmitting => _submitting;

    /// <summary>Where this thread found the last target of a table; see <see cref="Mapping.Table.IndexOf"/>.</summary>
    public readonly int[] LastTargets = new int[LookupCells];

    /// <summary>Free bios, linked by <see cref="Bio.Next"/>.</summary>
    public Bio? Pool;

    /// <summary>How many they are.</summary>
    public int PoolCount;

    /// <summary>
    /// Routes a bio, and whatever is submitted on this thread meanwhile, in order. A submission from within a map or
    /// a completion only joins the list: this is what bounds the stack (the kernel's <c>current-&gt;bio_list</c>).
    /// </summary>
    public void Submit(Bio bio)
    {
        if (_submitting)
        {
            bio.Next = null;
            if (_tail is null)
            {
                _head = bio;
            }
            else
            {
                _tail.Next = bio;
            }

            _tail = bio;
            return;
        }

        _submitting = true;
        try
        {
            Route(bio);
            RouteWaiting();
        }
        catch
        {
            RouteRest(); // a device or completion with a bug must not strand the bios of others
            throw;
        }
        finally
        {
            _submitting = false;
        }
    }

    /// <summary>Takes a bio from the shared stock.</summary>
    public Bio? Refill() => _stock.TryTake(out Bio? bio) ? bio : null;

    /// <summary>Gives half of the pool to the shared stock.</summary>
    public void Overflow()
    {
        while (PoolCount > PoolLimit / 2)
        {
            Bio bio = Pool!;
            Pool = bio.Next;
            PoolCount--;
            bio.Next = null;
            _stock.Add(bio);
        }
    }

    private void RouteWaiting()
    {
        while (_head is { } next)
        {
            _head = next.Next;
            if (_head is null)
            {
                _tail = null;
            }

            next.Next = null;
            Route(next);
        }
    }

    private void RouteRest()
    {
        while (_head is not null)
        {
            try
            {
                RouteWaiting();
            }
            catch
            {
                // The first one is thrown already.
            }
        }
    }

    private void Route(Bio bio)
    {
        Bio? next = bio;
        while (next is not null)
        {
            BlockDevice device = next.Device!;
            if (device is Mapping.MappedDevice mapped)
            {
                next = mapped.Map(next, this);
            }
            else
            {
                device.Process(next);
                return;
            }
        }
    }
}
