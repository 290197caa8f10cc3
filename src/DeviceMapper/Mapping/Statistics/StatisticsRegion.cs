using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using DeviceMapper.Io;

namespace DeviceMapper.Mapping.Statistics;

/// <summary>
/// A region of a mapped device whose I/O is counted, by areas (the kernel's <c>struct dm_stat</c>, drivers/md/dm-stats.c).
/// </summary>
/// <remarks>
/// Each thread counts in cells of its own, which it alone writes; what is printed is their sum, less what was cleared. Only the time up to
/// which the I/O in flight was accounted for is shared by the threads, without a lock.
/// </remarks>
internal sealed class StatisticsRegion
{
    /// <summary>The most areas that a region may have.</summary>
    public const ulong MostAreas = 8_388_608;

    /// <summary>The most cells that its histograms may have.</summary>
    public const ulong MostHistogramCells = 134_217_728;

    // Cells of an area, those of writes next to those of reads; the histogram's follow.
    private const int Ios = 0;
    private const int Merges = 2;
    private const int Sectors = 4;
    private const int Ticks = 6;
    private const int BusyTicks = 8;
    private const int AnyBusyTicks = 10;
    private const int QueueTicks = 11;
    private const int InFlight = 12; // a thread's may be negative: only the sum means something
    private const int Histogram = 14;

    private readonly ulong _start; // sectors, as in Options
    private readonly ulong _end;
    private readonly int _stride; // cells of an area
    private readonly ulong[] _boundaries;
    private readonly long[] _stamps; // by area: up to when time was accounted for
    private readonly long[]?[] _cells = new long[]?[BioThread.SlotCount]; // by thread, made by its first I/O
    private readonly long[] _cleared; // what was cleared, to be subtracted
    private readonly Lock _printing = new(); // guards _cleared

    /// <summary>Counts from now on.</summary>
    /// <param name="id">Its number on the device.</param>
    /// <param name="options">What it is.</param>
    /// <param name="now">The time, in the region's unit.</param>
    public StatisticsRegion(int id, StatisticsOptions options, long now)
    {
        Id = id;
        Options = options;
        _start = options.Start;
        _end = options.End;
        _boundaries = [.. options.Boundaries];
        _stride = Histogram + (_boundaries.Length == 0 ? 0 : _boundaries.Length + 1);
        _stamps = new long[options.Areas];
        _cleared = new long[CellCount];
        Array.Fill(_stamps, now);
    }

    /// <summary>Its number on the device.</summary>
    public int Id { get; }

    /// <summary>What it is.</summary>
    public StatisticsOptions Options { get; private set; }

    /// <summary>Keeps other data of the user's.</summary>
    public void SetAuxData(string auxData) => Options = Options with { AuxData = auxData };

    /// <summary>How many bytes a region takes at most; the kernel has a limit for all regions together.</summary>
    public static ulong MemoryOf(StatisticsOptions options) =>
        options.Areas * (ulong)((Histogram + options.Boundaries.Count + 1) * sizeof(long)) * (ulong)(Environment.ProcessorCount + 1);

    /// <summary>An I/O, or a piece of one, has begun, has ended, or goes back to a queue.</summary>
    /// <param name="thread">This thread.</param>
    /// <param name="direction">0 for reads, 1 for all others.</param>
    /// <param name="from">Its first sector.</param>
    /// <param name="to">The sector after its last, above the first.</param>
    /// <param name="moment">What happened, and when.</param>
    public void Count(BioThread thread, int direction, ulong from, ulong to, in Moment moment)
    {
        from = Math.Max(from, _start);
        to = Math.Min(to, _end);
        if (from >= to)
        {
            return;
        }

        if (_stamps.Length == 1)
        {
            CountIn(thread, 0, direction, to - from, moment);
        }
        else
        {
            CountInAreas(thread, direction, from, to, moment);
        }
    }

    /// <summary>The short way of <see cref="Count"/>: an I/O has begun, all of it in the only area, on a thread with cells of its own.</summary>
    /// <returns>False where it has to go the long way.</returns>
    public bool TryBegin(BioThread thread, in CountedIo io, long now)
    {
        if (!IsShort(thread, io))
        {
            return false;
        }

        Round(thread, 0, now);
        Add(shared: false, ref Unsafe.Add(ref CellsOf(thread, 0), InFlight + io.Direction), 1);
        return true;
    }

    /// <summary>The short way of <see cref="Count"/> where such an I/O has ended.</summary>
    public bool TryEnd(BioThread thread, in CountedIo io, long now)
    {
        if (!IsShort(thread, io))
        {
            return false;
        }

        Round(thread, 0, now);
        CountEnd(false, ref CellsOf(thread, 0), io.Direction, io.To - io.From, now - io.Start, io.IsMerged);
        return true;
    }

    /// <summary>
    /// Appends a line for each of some areas, and clears them if wanted. Once there are more than <paramref name="room"/> characters it stops,
    /// and nothing is cleared: the caller asks again with more room, and must find what was counted.
    /// </summary>
    public void Print(StringBuilder text, ulong firstArea, ulong areas, bool clear, long now, int room)
    {
        ulong end = firstArea + areas < firstArea || firstArea + areas > Options.Areas ? Options.Areas : firstArea + areas;
        long[] sums = new long[_stride];
        lock (_printing)
        {
            long[]? before = clear ? [.. _cleared] : null;
            for (ulong area = Math.Min(firstArea, end); area < end && text.Length <= room; area++)
            {
                Round(BioThread.Current, (int)area, now);
                Sum((int)area, sums);
                PrintArea(text, (int)area, sums);
                if (clear)
                {
                    Clear((int)area, sums);
                }
            }

            if (text.Length > room)
            {
                before?.CopyTo(_cleared, 0);
            }
        }
    }

    /// <summary>Counts from zero again; I/O in flight stays in flight.</summary>
    public void Clear(long now)
    {
        long[] sums = new long[_stride];
        lock (_printing)
        {
            for (int area = 0; area < _stamps.Length; area++)
            {
                Round(BioThread.Current, area, now);
                Sum(area, sums);
                Clear(area, sums);
            }
        }
    }

    private int CellCount => checked(_stamps.Length * _stride);

    private bool IsShort(BioThread thread, in CountedIo io) =>
        _stamps.Length == 1 && io.From >= _start && io.To <= _end && thread.Slot != BioThread.SharedSlot;

    private void CountInAreas(BioThread thread, int direction, ulong from, ulong to, in Moment moment)
    {
        ulong step = Options.Step;
        ulong area = (from - _start) / step;
        ulong offset = (from - _start) % step;
        ulong left = to - from;
        while (left > 0)
        {
            ulong length = Math.Min(left, step - offset);
            CountIn(thread, (int)area, direction, length, moment);
            left -= length;
            area++;
            offset = 0;
        }
    }

    private void CountIn(BioThread thread, int area, int direction, ulong sectors, in Moment moment)
    {
        Round(thread, area, moment.Now);
        bool shared = thread.Slot == BioThread.SharedSlot;
        ref long cells = ref CellsOf(thread, area);
        if (moment.Kind == MomentKind.End)
        {
            CountEnd(shared, ref cells, direction, sectors, moment.Duration, moment.Merged);
        }
        else
        {
            Add(shared, ref Unsafe.Add(ref cells, InFlight + direction), moment.Kind == MomentKind.Begin ? 1 : -1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CountEnd(bool shared, ref long cells, int direction, ulong sectors, long duration, bool merged)
    {
        ref long cell = ref Unsafe.Add(ref cells, direction);
        Add(shared, ref Unsafe.Add(ref cell, InFlight), -1);
        Add(shared, ref Unsafe.Add(ref cell, Ios), 1);
        Add(shared, ref Unsafe.Add(ref cell, Merges), merged ? 1 : 0);
        Add(shared, ref Unsafe.Add(ref cell, Sectors), (long)sectors);
        Add(shared, ref Unsafe.Add(ref cell, Ticks), duration);
        if (_boundaries.Length > 0)
        {
            int bucket = Array.BinarySearch(_boundaries, (ulong)duration);
            Add(shared, ref Unsafe.Add(ref cells, Histogram + (bucket >= 0 ? bucket + 1 : ~bucket)), 1);
        }
    }

    /// <summary>Accounts for the time since the area was last looked at.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Round(BioThread thread, int area, long now)
    {
        long passed = now - Volatile.Read(ref _stamps[area]);
        if (passed > 0)
        {
            Account(thread, area, now, passed);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Account(BioThread thread, int area, long now, long passed)
    {
        (long reads, long writes) = (0, 0);
        foreach (long[]? cells in _cells)
        {
            if (cells is not null)
            {
                reads += Volatile.Read(ref cells[(area * _stride) + InFlight]);
                writes += Volatile.Read(ref cells[(area * _stride) + InFlight + 1]);
            }
        }

        if (reads + writes > 0)
        {
            ref long own = ref CellsOf(thread, area);
            bool shared = thread.Slot == BioThread.SharedSlot;
            Add(shared, ref Unsafe.Add(ref own, BusyTicks), reads > 0 ? passed : 0);
            Add(shared, ref Unsafe.Add(ref own, BusyTicks + 1), writes > 0 ? passed : 0);
            Add(shared, ref Unsafe.Add(ref own, AnyBusyTicks), passed);
            Add(shared, ref Unsafe.Add(ref own, QueueTicks), (reads + writes) * passed);
        }

        Volatile.Write(ref _stamps[area], now);
    }

    /// <summary>The first of this thread's cells of an area, which is one of the region's: no look at bounds on the way of a bio.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref long CellsOf(BioThread thread, int area) =>
        ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_cells[thread.Slot] ?? MakeCells(thread.Slot)), area * _stride);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private long[] MakeCells(int slot)
    {
        long[] made = new long[CellCount];
        return Interlocked.CompareExchange(ref _cells[slot], made, null) ?? made;
    }

    /// <summary>Only threads beyond the number of slots share cells.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(bool shared, ref long cell, long value)
    {
        if (shared)
        {
            Interlocked.Add(ref cell, value);
        }
        else
        {
            Volatile.Write(ref cell, cell + value);
        }
    }

    private void Sum(int area, long[] sums)
    {
        sums.AsSpan().Clear();
        foreach (long[]? cells in _cells)
        {
            for (int i = 0; cells is not null && i < _stride; i++)
            {
                sums[i] += Volatile.Read(ref cells[(area * _stride) + i]);
            }
        }

        for (int i = 0; i < _stride; i++)
        {
            sums[i] -= _cleared[(area * _stride) + i];
        }
    }

    private void Clear(int area, long[] sums)
    {
        for (int i = 0; i < _stride; i++)
        {
            _cleared[(area * _stride) + i] += i is InFlight or InFlight + 1 ? 0 : sums[i];
        }
    }

    /// <summary>As the kernel prints it; also a shorter last area has the length of the others.</summary>
    private void PrintArea(StringBuilder text, int area, long[] sums)
    {
        text.Append($"{Options.Start + ((ulong)area * Options.Step)}+{Options.Step}");
        foreach (int read in (ReadOnlySpan<int>)[Ios, Merges, Sectors, Ticks])
        {
            text.Append($" {sums[read]}");
        }

        foreach (int read in (ReadOnlySpan<int>)[Ios, Merges, Sectors, Ticks])
        {
            text.Append($" {sums[read + 1]}");
        }

        long inFlight = sums[InFlight] + sums[InFlight + 1];
        text.Append($" {inFlight} {sums[AnyBusyTicks]} {sums[QueueTicks]} {sums[BusyTicks]} {sums[BusyTicks + 1]}");
        for (int i = Histogram; i < _stride; i++)
        {
            text.Append(i == Histogram ? ' ' : ':').Append(sums[i]);
        }

        text.Append('\n');
    }
}
