using System.Numerics;
using System.Runtime.InteropServices;

namespace DeviceMapper.Nbd;

/// <summary>The memory of all connections, by powers of two from 256 KiB to 64 MiB. What is free beyond a few megabytes goes back to the system.</summary>
internal sealed unsafe class BufferPool : IDisposable
{
    /// <summary>The smallest buffer, and the usual one, in bytes.</summary>
    public const int Usual = 1 << UsualShift;

    private const int UsualShift = 18;
    private const int LargestShift = 26;
    private const int FreeBytes = 8 << 20; // of each size; at least one buffer
    private const int PageSize = 4096;

    private readonly Lock _lock = new();
    private readonly Stack<NativeBuffer>[] _free = [.. Enumerable.Range(UsualShift, LargestShift - UsualShift + 1).Select(_ => new Stack<NativeBuffer>())];
    private bool _disposed;

    /// <summary>Takes an empty buffer. Its contents are not defined.</summary>
    /// <param name="length">Bytes that it must have at least.</param>
    public NativeBuffer Rent(int length = Usual)
    {
        int shift = ShiftOf(length);
        lock (_lock)
        {
            if (_free[shift - UsualShift].TryPop(out NativeBuffer? buffer))
            {
                return buffer;
            }
        }

        return new NativeBuffer((byte*)NativeMemory.AlignedAlloc((nuint)1 << shift, PageSize), 1 << shift);
    }

    /// <summary>Gives a buffer back that no request uses.</summary>
    public void Return(NativeBuffer buffer)
    {
        buffer.Used = 0;
        Stack<NativeBuffer> free = _free[ShiftOf(buffer.Length) - UsualShift];
        lock (_lock)
        {
            if (!_disposed && free.Count < Math.Max(1, FreeBytes / buffer.Length))
            {
                free.Push(buffer);
                return;
            }
        }

        NativeMemory.AlignedFree(buffer.Address);
    }

    /// <summary>Frees what is not in use, and from now on whatever comes back.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (Stack<NativeBuffer> free in _free)
            {
                while (free.TryPop(out NativeBuffer? buffer))
                {
                    NativeMemory.AlignedFree(buffer.Address);
                }
            }
        }
    }

    private static int ShiftOf(int length) => Math.Max(UsualShift, 32 - BitOperations.LeadingZeroCount((uint)length - 1));
}
