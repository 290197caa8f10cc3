using DeviceMapper.Io;

namespace DeviceMapper.Targets.Integrity;

/// <summary>A buffer of the pool for as long as a method needs it.</summary>
/// <param name="length">In bytes.</param>
internal readonly ref struct BufferScope(int length)
{
    private readonly BufferSegment _segment = BufferPool.Rent(length);
    private readonly int _length = length;

    /// <summary>Its memory, whose content is not defined at first.</summary>
    public Span<byte> Span => _segment.Span[.._length];

    /// <summary>The same, for a bio.</summary>
    public BioBuffer Buffer => new(_segment.Address, _length);

    /// <summary>Gives it back.</summary>
    public void Dispose() => BufferPool.Return(_segment);
}
