using System.Runtime.CompilerServices;
using DeviceMapper.Io;

namespace DeviceMapper.Mapping;

/// <summary>
/// Counts the bios in flight of one mapped device without an atomic instruction or a cache line that threads share:
/// each thread has a cell of its own, which it alone writes; only the sum means something, since a bio may end on another thread.
/// </summary>
/// <remarks>
/// A thread enters and then looks whether the gate is closed; a suspend closes the gate, issues a barrier on all processors
/// (membarrier), and then sums. So either the thread sees the gate closed, or the sum sees the thread: the barrier that the
/// thread leaves out is made for it. Once the gate is closed, an entry that sees it is taken back by the same thread in the same cell, so a
/// sum may be too large for a moment, but is never too small: zero means none.
/// </remarks>
internal sealed class InFlightCounter
{
    private const int CellStride = 16; // 128 bytes: a cache line and its prefetched neighbour

    private readonly long[] _cells = new long[(BioThread.SlotCount + 1) * CellStride];

    /// <summary>A bio comes, and is mapped: two counts, that of its map is given back first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enter(BioThread thread) => Add(thread, 2);

    /// <summary>Its map has returned; or the bio has ended, or goes elsewhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Exit(BioThread thread) => Add(thread, -1);

    /// <summary>Takes an <see cref="Enter"/> back.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Undo(BioThread thread) => Add(thread, -2);

    /// <summary>How many bios and maps there are, at most. Exact once nothing enters any more and <see cref="Interlocked.MemoryBarrierProcessWide"/> was called since.</summary>
    public long Sum()
    {
        long sum = 0;
        for (int i = CellStride; i < _cells.Length; i += CellStride)
        {
            sum += Volatile.Read(ref _cells[i]);
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add(BioThread thread, long value)
    {
        ref long cell = ref _cells[(thread.Slot + 1) * CellStride];
        if (thread.Slot == BioThread.SharedSlot)
        {
            Interlocked.Add(ref cell, value);
        }
        else
        {
            Volatile.Write(ref cell, cell + value);
        }
    }
}
