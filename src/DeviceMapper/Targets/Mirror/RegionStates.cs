namespace DeviceMapper.Targets.Mirror;

/// <summary>How a write may go to its region.</summary>
internal enum RegionEntry
{
    /// <summary>To all legs.</summary>
    InSync,

    /// <summary>To the default leg alone: the others are copied from it later.</summary>
    NoSync,

    /// <summary>To all legs, when the log has the region marked.</summary>
    ToMark,

    /// <summary>Not now. It was not counted.</summary>
    Wait,
}

/// <summary>
/// Counts the writes under way in each region, and knows which are being copied: a copy waits for the writes, and new writes wait for it
/// (the kernel's <c>dm_region_hash</c>, drivers/md/dm-region-hash.c).
/// </summary>
/// <remarks>
/// A word for each region, changed without a lock. A region's flags are changed by the mirror's worker alone, but for
/// <see cref="Touched"/> and, when a flush has failed, <see cref="NotInSync"/>. Words are made when a part of the mirror is first written to.
/// </remarks>
internal sealed class RegionStates(DirtyLog log)
{
    private const int PendingMask = (1 << 24) - 1;
    private const int Marked = 1 << 24; // the log has it, durably
    private const int Touched = 1 << 25; // written to since it was last looked at
    private const int NotInSync = 1 << 26; // a write failed on a leg
    private const int Copying = 1 << 27; // or about to be
    private const int PageShift = 10;

    private readonly int[]?[] _pages = new int[]?[((log.RegionCount - 1) >> PageShift) + 1];
    private volatile bool _flushFailed;

    /// <summary>A flush of a leg has failed: what was written before may be lost there, so no region becomes clean any more.</summary>
    public bool FlushFailed
    {
        get => _flushFailed;
        set => _flushFailed = value;
    }

    /// <summary>Whether all legs can be read.</summary>
    public bool IsInSync(int region) =>
        log.IsInSync(region) && (Volatile.Read(ref _pages[region >> PageShift]) is not { } page || (Volatile.Read(ref page[region & (page.Length - 1)]) & NotInSync) == 0);

    /// <summary>Counts a write, unless it must wait.</summary>
    /// <param name="region">Where.</param>
    /// <param name="marking">The caller marks regions: a write that waits for that is counted.</param>
    public RegionEntry Enter(int region, bool marking)
    {
        ref int word = ref WordOf(region);
        int seen = Volatile.Read(ref word);
        while (true)
        {
            if ((seen & Copying) != 0)
            {
                return RegionEntry.Wait;
            }

            int was = Interlocked.CompareExchange(ref word, (seen + 1) | Touched, seen);
            if (was == seen)
            {
                break;
            }

            seen = was;
        }

        // While a write is counted no copy of the region ends, so what is not in sync now stays so, and its mark stays.
        if ((seen & NotInSync) != 0 || !log.IsInSync(region))
        {
            return RegionEntry.NoSync;
        }

        if ((seen & Marked) != 0 || !log.IsDurable)
        {
            return RegionEntry.InSync;
        }

        if (marking)
        {
            return RegionEntry.ToMark;
        }

        Leave(region);
        return RegionEntry.Wait;
    }

    /// <summary>A write that was counted has ended.</summary>
    /// <returns>Whether a copy has waited for that.</returns>
    public bool Leave(int region)
    {
        ref int word = ref WordOf(region);
        if (_flushFailed && (Volatile.Read(ref word) & PendingMask) == 1)
        {
            Interlocked.Or(ref word, NotInSync);
        }

        int now = Interlocked.Decrement(ref word);
        return (now & PendingMask) == 0 && (now & Copying) != 0;
    }

    /// <summary>The log has the region marked from now on.</summary>
    /// <returns>False where it had already.</returns>
    public bool SetMarked(int region) => (Interlocked.Or(ref WordOf(region), Marked) & Marked) == 0;

    /// <summary>Takes the mark away, where the region is in sync and rests.</summary>
    /// <param name="region">Which.</param>
    /// <param name="atOnce">Also where it was written to since the last try.</param>
    /// <returns>Whether it is clean; null where it need not be asked again.</returns>
    public bool? TryClean(int region, bool atOnce)
    {
        ref int word = ref WordOf(region);
        int seen = Volatile.Read(ref word);
        while (true)
        {
            if ((seen & Marked) == 0 || (seen & NotInSync) != 0)
            {
                return null;
            }

            bool clean = (seen & (PendingMask | Copying)) == 0 && (atOnce || (seen & Touched) == 0);
            int was = Interlocked.CompareExchange(ref word, seen & ~(clean ? Marked | Touched : Touched), seen);
            if (was == seen)
            {
                return clean;
            }

            seen = was;
        }
    }

    /// <summary>From now on writes to the region wait.</summary>
    public void BeginCopy(int region) => Interlocked.Or(ref WordOf(region), Copying);

    /// <summary>Whether the writes that were under way have ended.</summary>
    public bool IsQuiet(int region) => (Volatile.Read(ref WordOf(region)) & PendingMask) == 0;

    /// <summary>The region is as the log says again.</summary>
    /// <param name="region">Which.</param>
    /// <param name="marked">Whether the log has it marked.</param>
    public void EndCopy(int region, bool marked)
    {
        ref int word = ref WordOf(region);
        if (marked)
        {
            Interlocked.Or(ref word, Marked);
        }

        Interlocked.And(ref word, ~(Copying | NotInSync | (marked ? 0 : Marked)));
    }

    /// <summary>A write to the region, which is counted, failed on a leg.</summary>
    /// <returns>Whether it was about to be copied, which it is not any more.</returns>
    public bool SetNotInSync(int region)
    {
        ref int word = ref WordOf(region);
        Interlocked.Or(ref word, NotInSync);
        return (Interlocked.And(ref word, ~Copying) & Copying) != 0;
    }

    private ref int WordOf(int region)
    {
        ref int[]? slot = ref _pages[region >> PageShift];
        int[] page = Volatile.Read(ref slot) ?? NewPage(ref slot);
        return ref page[region & (page.Length - 1)];
    }

    private static int[] NewPage(ref int[]? slot)
    {
        int[] page = new int[1 << PageShift];
        return Interlocked.CompareExchange(ref slot, page, null) ?? page;
    }
}
