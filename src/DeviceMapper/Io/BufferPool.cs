using System.Numerics;
using System.Runtime.InteropServices;

namespace DeviceMapper.Io;

/// <summary>
/// Native memory for bios that the device mapper makes itself: page-aligned, so that O_DIRECT and io_uring take it, and kept for
/// reuse, so that the data path allocates nothing.
/// </summary>
/// <remarks>
/// A free buffer holds the link to the next one in its own first bytes. Each thread keeps a few of each size; what is more goes to a
/// shared stock, and what is more than the stock may keep goes back to the system.
/// </remarks>
public static unsafe class BufferPool
{
    /// <summary>Buffers start at multiples of this, in bytes; it is the smallest as well.</summary>
    public const int Alignment = 4096;

    /// <summary>The largest buffer, in bytes.</summary>
    public const int MaxLength = 1 << 20;

    private const int SizeCount = 9; // 4 KiB, 8 KiB ... 1 MiB
    private const int KeptByThread = 256 << 10; // bytes of each size
    private const int KeptInStock = 16 << 20; // bytes of each size

    private static readonly Stock[] _stocks = [.. Enumerable.Range(0, SizeCount).Select(_ => new Stock())];

    [ThreadStatic]
    private static ThreadBuffers? _thread;

    /// <summary>Takes a buffer, whose content is not defined.</summary>
    /// <param name="length">How many bytes it must have at least; at most <see cref="MaxLength"/>.</param>
    /// <returns>The buffer with all its length, a power of two.</returns>
    public static BufferSegment Rent(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)MaxLength, nameof(length));
        int size = SizeOf(length);
        ThreadBuffers thread = _thread ??= new ThreadBuffers();
        nint address = thread.Take(size);
        if (address == 0)
        {
            address = _stocks[size].Take();
        }

        if (address == 0)
        {
            address = (nint)NativeMemory.AlignedAlloc((nuint)(Alignment << size), Alignment);
        }

        return new BufferSegment(address, Alignment << size);
    }

    /// <summary>Gives a buffer back as <see cref="Rent"/> gave it. No bio uses it any more.</summary>
    public static void Return(BufferSegment buffer)
    {
        int size = SizeOf(buffer.Length);
        ThreadBuffers thread = _thread ??= new ThreadBuffers();
        if (!thread.Add(size, buffer.Address) && !_stocks[size].Add(buffer.Address, buffer.Length))
        {
            NativeMemory.AlignedFree((void*)buffer.Address);
        }
    }

    private static int SizeOf(int length) => length <= Alignment ? 0 : BitOperations.Log2((uint)(length - 1) / Alignment) + 1;

    /// <summary>What all threads share of one size.</summary>
    private sealed class Stock
    {
        private readonly Lock _lock = new();
        private nint _first;
        private int _count;

        public nint Take()
        {
            lock (_lock)
            {
                nint address = _first;
                if (address != 0)
                {
                    _first = *(nint*)address;
                    _count--;
                }

                return address;
            }
        }

        public bool Add(nint address, int length)
        {
            lock (_lock)
            {
                if ((_count + 1) * (long)length > KeptInStock)
                {
                    return false;
                }

                *(nint*)address = _first;
                _first = address;
                _count++;
                return true;
            }
        }
    }

    /// <summary>What one thread keeps.</summary>
    private sealed class ThreadBuffers
    {
        private readonly nint[] _first = new nint[SizeCount];
        private readonly int[] _bytes = new int[SizeCount];

        /// <summary>The thread has ended.</summary>
        ~ThreadBuffers()
        {
            for (int size = 0; size < SizeCount; size++)
            {
                while (Take(size) is var address and not 0)
                {
                    NativeMemory.AlignedFree((void*)address);
                }
            }
        }

        public nint Take(int size)
        {
            nint address = _first[size];
            if (address != 0)
            {
                _first[size] = *(nint*)address;
                _bytes[size] -= Alignment << size;
            }

            return address;
        }

        public bool Add(int size, nint address)
        {
            int length = Alignment << size;
            if (_bytes[size] + length > KeptByThread)
            {
                return false;
            }

            *(nint*)address = _first[size];
            _first[size] = address;
            _bytes[size] += length;
            return true;
        }
    }
}
