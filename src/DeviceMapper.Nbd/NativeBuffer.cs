namespace DeviceMapper.Nbd;

/// <summary>
/// Page-aligned native memory of one connection, from which requests take parts in order. Only the connection's thread hands out
/// parts and takes the buffer back; parts that end elsewhere are counted by whoever holds the connection's lock.
/// </summary>
internal sealed unsafe class NativeBuffer(byte* address, int length)
{
    private int _begun;
    private int _ended;
    private int _endedElsewhere;

    /// <summary>Its first byte.</summary>
    public byte* Address { get; } = address;

    /// <summary>Its bytes.</summary>
    public int Length { get; } = length;

    /// <summary>Bytes that are handed out, or filled, from its start on.</summary>
    public int Used { get; set; }

    /// <summary>Whether any request still has a part of it.</summary>
    public bool IsInUse => _begun != _ended + Volatile.Read(ref _endedElsewhere);

    /// <summary>A request has a part of it, until <see cref="End"/>.</summary>
    public void Begin() => _begun++;

    /// <summary>A request needs its part no more.</summary>
    /// <param name="elsewhere">Said by another thread than the connection's, which holds the connection's lock.</param>
    public void End(bool elsewhere)
    {
        if (elsewhere)
        {
            Volatile.Write(ref _endedElsewhere, _endedElsewhere + 1);
        }
        else
        {
            _ended++;
        }
    }
}
