using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace DeviceMapper.Targets.Verity;

/// <summary>Blocks of a tree of hashes that are known to be good. Looking one up takes no lock and allocates nothing; the oldest go when there are too many.</summary>
internal sealed class HashBlockCache
{
    private const int LargestBytes = 64 << 20; // hashes of 8 GiB of data, with SHA-256 and blocks of 4 KiB

    private readonly ConcurrentDictionary<ulong, byte[]> _blocks = new();
    private readonly ConcurrentQueue<ulong> _order = new();
    private readonly int _limit;
    private int _count;

    /// <summary>An empty cache of blocks of a size in bytes.</summary>
    public HashBlockCache(int blockSize) => _limit = Math.Max(16, LargestBytes / blockSize);

    /// <summary>Finds a block.</summary>
    public bool TryGet(ulong block, [NotNullWhen(true)] out byte[]? content) => _blocks.TryGetValue(block, out content);

    /// <summary>Adds a copy of a block.</summary>
    public void Add(ulong block, ReadOnlySpan<byte> content)
    {
        if (!_blocks.TryAdd(block, content.ToArray()))
        {
            return;
        }

        _order.Enqueue(block);
        if (Interlocked.Increment(ref _count) > _limit && _order.TryDequeue(out ulong oldest) && _blocks.TryRemove(oldest, out _))
        {
            Interlocked.Decrement(ref _count);
        }
    }
}
