namespace DeviceMapper.Targets.Snapshots;

/// <summary>
/// Where chunks of the origin have been copied to: old chunk to new chunk. Any number of threads may search it without a lock while one
/// changes it (the kernel's <c>dm_exception_table</c>; without its packing of runs, 16 bytes a place).
/// </summary>
internal sealed class ExceptionTable
{
    private const ulong Removed = ulong.MaxValue; // as a new chunk

    private readonly Lock _changing = new();
    private Slots _slots = new(64);
    private int _used; // places with a key, removed ones too

    /// <summary>Finds where a chunk is.</summary>
    public bool TryFind(ulong oldChunk, out ulong newChunk)
    {
        Slots slots = Volatile.Read(ref _slots);
        newChunk = 0;
        if (!slots.TryFind(oldChunk, out int at))
        {
            return false;
        }

        newChunk = Volatile.Read(ref slots.Values[at]);
        return newChunk != Removed;
    }

    /// <summary>Says where a chunk is now.</summary>
    public void Add(ulong oldChunk, ulong newChunk)
    {
        lock (_changing)
        {
            if (_slots.TryFind(oldChunk, out int at))
            {
                Volatile.Write(ref _slots.Values[at], newChunk);
                return;
            }

            if (_used * 4 >= _slots.Keys.Length * 3)
            {
                Grow();
            }

            _slots.Put(oldChunk, newChunk);
            _used++;
        }
    }

    /// <summary>Forgets a chunk.</summary>
    public void Remove(ulong oldChunk)
    {
        lock (_changing)
        {
            if (_slots.TryFind(oldChunk, out int at))
            {
                Volatile.Write(ref _slots.Values[at], Removed); // the place keeps its key, so that searches go on past it
            }
        }
    }

    private void Grow()
    {
        Slots larger = new(_slots.Keys.Length * 2);
        _used = 0;
        for (int i = 0; i < _slots.Keys.Length; i++)
        {
            if (_slots.Keys[i] != 0 && _slots.Values[i] != Removed)
            {
                larger.Put(_slots.Keys[i] - 1, _slots.Values[i]);
                _used++;
            }
        }

        Volatile.Write(ref _slots, larger);
    }

    /// <summary>An open-addressing table. A key is the old chunk plus one; 0 is a free place.</summary>
    private sealed class Slots(int length)
    {
        public readonly ulong[] Keys = new ulong[length];
        public readonly ulong[] Values = new ulong[length];

        public bool TryFind(ulong oldChunk, out int at)
        {
            ulong key = oldChunk + 1;
            at = PlaceOf(oldChunk);
            while (true)
            {
                ulong there = Volatile.Read(ref Keys[at]);
                if (there == key || there == 0)
                {
                    return there == key && key != 0;
                }

                at = (at + 1) & (Keys.Length - 1);
            }
        }

        /// <summary>Adds a key that is not there. The value is written first, so that whoever sees the key sees the value.</summary>
        public void Put(ulong oldChunk, ulong newChunk)
        {
            int at = PlaceOf(oldChunk);
            while (Keys[at] != 0)
            {
                at = (at + 1) & (Keys.Length - 1);
            }

            Volatile.Write(ref Values[at], newChunk);
            Volatile.Write(ref Keys[at], oldChunk + 1);
        }

        private int PlaceOf(ulong chunk) => (int)((chunk * 0x9e3779b97f4a7c15) >> 32) & (Keys.Length - 1);
    }
}
