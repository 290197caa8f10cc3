namespace DeviceMapper.Io;

/// <summary>Memory from <see cref="BufferPool"/> for one bio, of any length.</summary>
public sealed class BioMemory
{
    private readonly BufferSegment[] _rented;

    private BioMemory(BufferSegment[] rented, BioBuffer buffer)
    {
        _rented = rented;
        Buffer = buffer;
    }

    /// <summary>The memory.</summary>
    public BioBuffer Buffer { get; }

    /// <summary>Takes memory, whose content is not defined. It is in one piece up to <see cref="BufferPool.MaxLength"/>.</summary>
    /// <param name="length">In bytes; not 0.</param>
    public static BioMemory Rent(int length)
    {
        BufferSegment[] rented = new BufferSegment[(length + BufferPool.MaxLength - 1) / BufferPool.MaxLength];
        for (int i = 0; i < rented.Length; i++)
        {
            rented[i] = BufferPool.Rent(Math.Min(length - (i * BufferPool.MaxLength), BufferPool.MaxLength));
        }

        return new BioMemory(rented, new BioBuffer(rented).Slice(0, length));
    }

    /// <summary>Gives it back; no bio uses it any more.</summary>
    public void Return()
    {
        foreach (BufferSegment segment in _rented)
        {
            BufferPool.Return(segment);
        }
    }
}
