using DeviceMapper.Io;

namespace DeviceMapper.Cryptography;

/// <summary>
/// Native handles of which each serves one thread at a time: contexts of a library. Taken and given back without a lock;
/// as many are made as threads ever needed at once.
/// </summary>
internal sealed class HandlePool : IDisposable
{
    private const int Kept = 32; // a power of two

    private readonly nint[] _slots = new nint[Kept];
    private readonly Func<nint> _make;
    private readonly Action<nint> _free;

    /// <summary>Makes an empty pool.</summary>
    /// <param name="make">Makes a handle.</param>
    /// <param name="free">Frees one.</param>
    public HandlePool(Func<nint> make, Action<nint> free)
    {
        _make = make;
        _free = free;
    }

    /// <summary>Takes a handle, to be given back by this thread.</summary>
    public nint Take()
    {
        int start = BioThread.Current.Slot;
        for (int i = 0; i < Kept; i++)
        {
            ref nint slot = ref _slots[(start + i) & (Kept - 1)];
            if (Volatile.Read(ref slot) != 0 && Interlocked.Exchange(ref slot, 0) is not 0 and nint handle)
            {
                return handle;
            }
        }

        return _make();
    }

    /// <summary>Gives a handle back.</summary>
    public void Give(nint handle)
    {
        int start = BioThread.Current.Slot;
        for (int i = 0; i < Kept; i++)
        {
            ref nint slot = ref _slots[(start + i) & (Kept - 1)];
            if (Volatile.Read(ref slot) == 0 && Interlocked.CompareExchange(ref slot, handle, 0) == 0)
            {
                return;
            }
        }

        _free(handle);
    }

    /// <summary>Frees all; none is in use.</summary>
    public void Dispose()
    {
        for (int i = 0; i < Kept; i++)
        {
            if (Interlocked.Exchange(ref _slots[i], 0) is not 0 and nint handle)
            {
                _free(handle);
            }
        }
    }
}
