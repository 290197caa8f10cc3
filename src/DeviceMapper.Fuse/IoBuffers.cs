using System.Numerics;
using System.Runtime.InteropServices;

namespace DeviceMapper.Fuse;

/// <summary>Page-aligned native memory from a pool. Belongs to one request at a time.</summary>
internal readonly record struct IoBuffer(nint Address, IoBuffers.SizeClass Home)
{
    /// <summary>Gives it back to the pool.</summary>
    public void Return() => Home.Return(Address);
}

/// <summary>
/// The memory of reads and writes, by powers of two, so that thousands of small requests that are parked on a suspended
/// device hold little. What is free beyond a few megabytes goes back to the system.
/// </summary>
internal sealed class IoBuffers
{
    /// <summary>The largest read or write that the kernel may ask for, in bytes.</summary>
    public const int MaxRequest = 1 << 20;

    private const int MinShift = 12;
    private const int MaxShift = 21; // a request of 1 MiB that is not aligned takes more than 1 MiB of blocks
    private const int PageSize = 1 << MinShift;

    private readonly SizeClass[] _classes = [.. Enumerable.Range(MinShift, MaxShift - MinShift + 1).Select(shift => new SizeClass(1 << shift))];

    /// <summary>Buffers that a message of the kernel fits in, with its data at the start of the second page.</summary>
    public SizeClass Receiving { get; } = new(MaxRequest + PageSize);

    /// <summary>Takes a buffer of at least so many bytes, at most 2 MiB. Its contents are not defined.</summary>
    public IoBuffer Rent(int length)
    {
        int shift = Math.Max(MinShift, 32 - BitOperations.LeadingZeroCount((uint)length - 1));
        return _classes[shift - MinShift].Rent();
    }

    /// <summary>Frees what is not in use, and from now on whatever comes back.</summary>
    public void Trim()
    {
        Receiving.Trim();
        foreach (SizeClass sizeClass in _classes)
        {
            sizeClass.Trim();
        }
    }

    /// <summary>The free buffers of one size.</summary>
    internal sealed class SizeClass
    {
        private readonly Lock _lock = new();
        private readonly int _size;
        private readonly nint[] _free;
        private int _count;
        private int _limit;

        public SizeClass(int size)
        {
            _size = size;
            _limit = Math.Clamp((8 << 20) / size, 8, 1024);
            _free = new nint[_limit];
        }

        public IoBuffer Rent()
        {
            lock (_lock)
            {
                if (_count > 0)
                {
                    return new IoBuffer(_free[--_count], this);
                }
            }

            unsafe
            {
                return new IoBuffer((nint)NativeMemory.AlignedAlloc((nuint)_size, PageSize), this);
            }
        }

        public void Return(nint address)
        {
            lock (_lock)
            {
                if (_count < _limit)
                {
                    _free[_count++] = address;
                    return;
                }
            }

            Free(address);
        }

        public void Trim()
        {
            lock (_lock)
            {
                _limit = 0;
                while (_count > 0)
                {
                    Free(_free[--_count]);
                }
            }
        }

        private static unsafe void Free(nint address) => NativeMemory.AlignedFree((void*)address);
    }
}
