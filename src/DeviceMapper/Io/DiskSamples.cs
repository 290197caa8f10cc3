using System.Numerics;
using System.Runtime.CompilerServices;
using DeviceMapper.Backends;

namespace DeviceMapper.Io;

/// <summary>
/// What some ranges of a device held when it was first opened, to tell whether another disk answers at the address of one that was lost. A range
/// that is written counts no more.
/// </summary>
/// <remarks>
/// The ranges lie at equal distances, a power of two, so that a write finds those that it touches without a search, and without a lock. Only hashes of
/// them are kept.
/// </remarks>
internal sealed class DiskSamples
{
    private const int Most = 64; // bits of a mask
    private const int LeastShift = 7; // 64 KiB between them, a multiple of any logical block
    private const uint LeastBytes = 4096;

    private readonly Lock _lock = new(); // guards what was seen
    private readonly UInt128[] _hashes = new UInt128[Most];
    private ulong _seen; // which of them are known
    private ulong _written; // since the first open
    private int _count;
    private ulong _sectors; // of each
    private readonly ConditionalWeakTable<IPathMonitor, StrongBox<int>> _ways = []; // to the device, with the connection that is known to lead to it
    private volatile int _shift; // log2 of the sectors between them; 0 as long as there are none

    /// <summary>Whether no range is known yet.</summary>
    public bool IsBlank => _seen == 0;

    /// <summary>Bytes of each range.</summary>
    public int Bytes => (int)(_sectors * Sector.Size);

    /// <summary>Chooses the ranges, before the first write; once.</summary>
    public void Choose(SectorCount size, uint logicalBlock)
    {
        lock (_lock)
        {
            if (_shift == 0)
            {
                _sectors = Math.Max(LeastBytes, logicalBlock) / Sector.Size;
                int shift = Math.Max(LeastShift, BitOperations.Log2(Math.Max(1, size.Value - 1)) - BitOperations.Log2(Most) + 1);
                _count = (int)((size.Value + (1UL << shift) - _sectors) >> shift); // whole ones only
                _shift = shift;
            }
        }
    }

    /// <summary>Sectors are about to change: what was seen of them counts no more.</summary>
    public void Writing(Sector start, SectorCount count)
    {
        int shift = _shift;
        if (shift == 0)
        {
            return;
        }

        ulong end = start.Value + count.Value;
        ulong first = (start.Value >> shift) + ((start.Value & ((1UL << shift) - 1)) < _sectors ? 0UL : 1UL);
        for (ulong i = first; i < Most && i << shift < end; i++)
        {
            if (!Has(Volatile.Read(ref _written), (int)i))
            {
                Interlocked.Or(ref _written, 1UL << (int)i);
            }
        }
    }

    /// <summary>The ranges that count, by number, with their first sectors.</summary>
    public IEnumerable<(int Number, Sector Start)> Unwritten() =>
        Enumerable.Range(0, _count).Where(i => !Has(Volatile.Read(ref _written), i)).Select(i => (i, new Sector((ulong)i << _shift)));

    /// <summary>Compares what was read now with what was seen first. Where all is the same, ranges that were not known are from now on.</summary>
    /// <param name="read">Hashes of the ranges that could be read, by number.</param>
    /// <returns>The first sector of a range that is another one; null where there is none.</returns>
    public Sector? Compare(IReadOnlyDictionary<int, UInt128> read)
    {
        lock (_lock)
        {
            ulong counting = ~Volatile.Read(ref _written); // a write that came meanwhile is counted in
            foreach ((int number, UInt128 hash) in read)
            {
                if (Has(_seen & counting, number) && _hashes[number] != hash)
                {
                    return new Sector((ulong)number << _shift);
                }
            }

            foreach ((int number, UInt128 hash) in read)
            {
                _hashes[number] = hash;
                _seen |= 1UL << number;
            }

            return null;
        }
    }

    /// <summary>Forgets what was seen: another disk is the right one from now on.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _seen = 0;
        }
    }

    /// <summary>The connection of a way that is known to lead to the device: the first one that was seen, as a table names it, or the last one that was compared.</summary>
    public int Trusted(IPathMonitor way) => _ways.GetValue(way, static w => new StrongBox<int>(w.Connection)).Value;

    /// <summary>A connection of a way leads to the device, also for the next table.</summary>
    public void Trust(IPathMonitor way, int connection) => _ways.AddOrUpdate(way, new StrongBox<int>(connection));

    /// <summary>Whether a way was lost, and came back, since it was last known to lead to the device.</summary>
    public bool IsSuspect(IPathMonitor way) => Trusted(way) != way.Connection;

    private static bool Has(ulong mask, int number) => (mask & (1UL << number)) != 0;
}
