namespace DeviceMapper.Mapping.Statistics;

/// <summary>Where the last I/O of a device ended, and its direction. Threads overwrite each other's: only figures of merges come of it.</summary>
internal sealed class LastIo
{
    private ulong _end = ulong.MaxValue;

    /// <summary>An end: a sector, shifted by one bit for the direction.</summary>
    public static ulong End(ulong sector, int direction) => (sector << 1) | (uint)direction;

    /// <summary>Takes another I/O.</summary>
    /// <returns>The end of the one before.</returns>
    public ulong Follow(in CountedIo io)
    {
        ulong before = Volatile.Read(ref _end);
        Volatile.Write(ref _end, End(io.To, io.Direction));
        return before;
    }

    /// <summary>An I/O was none: no target mapped it.</summary>
    public void Forget(in CountedIo io)
    {
        if (Volatile.Read(ref _end) == End(io.To, io.Direction))
        {
            Volatile.Write(ref _end, io.Before);
        }
    }
}
