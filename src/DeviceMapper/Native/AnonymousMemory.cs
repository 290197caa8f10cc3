using DeviceMapper.Io;

namespace DeviceMapper.Native;

/// <summary>Zeroed memory of its own mapping: pages that were never written take no memory. Unmapped when disposed.</summary>
internal sealed unsafe class AnonymousMemory : IDisposable
{
    private static readonly nuint _pageSize = (nuint)Environment.SystemPageSize;

    private readonly byte* _address;
    private readonly ulong _length;
    private bool _disposed;

    private AnonymousMemory(nint address, ulong length)
    {
        _address = (byte*)address;
        _length = length;
    }

    ~AnonymousMemory() => Unmap();

    /// <summary>Maps memory.</summary>
    /// <param name="length">Bytes.</param>
    /// <param name="memory">The memory.</param>
    /// <returns>ENOMEM: the address space, or what the system allows, does not suffice.</returns>
    public static Errno TryMap(ulong length, out AnonymousMemory? memory)
    {
        memory = null;
        if (length > (ulong)nint.MaxValue)
        {
            return Errno.ENOMEM;
        }

        nint address = LibC.MMap(
            0, (nint)length, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS | LibC.MAP_NORESERVE, -1, 0);
        if (address == -1)
        {
            return Errnos.Last;
        }

        memory = new AnonymousMemory(address, length);
        return Errno.None;
    }

    /// <summary>Fills a buffer from an offset in bytes.</summary>
    public void CopyTo(BioBuffer buffer, ulong offset)
    {
        byte* source = At(offset, (ulong)buffer.Length);
        foreach (BufferSegment segment in buffer)
        {
            new ReadOnlySpan<byte>(source, segment.Length).CopyTo(segment.Span);
            source += segment.Length;
        }
    }

    /// <summary>Takes a buffer's bytes at an offset in bytes.</summary>
    public void CopyFrom(BioBuffer buffer, ulong offset)
    {
        byte* destination = At(offset, (ulong)buffer.Length);
        foreach (BufferSegment segment in buffer)
        {
            segment.Span.CopyTo(new Span<byte>(destination, segment.Length));
            destination += segment.Length;
        }
    }

    /// <summary>Makes a range zero.</summary>
    /// <param name="offset">In bytes.</param>
    /// <param name="length">In bytes.</param>
    /// <param name="free">Give whole pages back to the system.</param>
    public void Clear(ulong offset, ulong length, bool free)
    {
        byte* start = At(offset, length);
        byte* end = start + length;
        byte* firstPage = (byte*)(((nuint)start + _pageSize - 1) & ~(_pageSize - 1));
        byte* lastPage = (byte*)((nuint)end & ~(_pageSize - 1));
        if (!free || firstPage >= lastPage || LibC.MAdvise((nint)firstPage, (nint)(lastPage - firstPage), LibC.MADV_DONTNEED) < 0)
        {
            Zero(start, end);
            return;
        }

        Zero(start, firstPage);
        Zero(lastPage, end);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Unmap();
        GC.SuppressFinalize(this);
    }

    private byte* At(ulong offset, ulong length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, _length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _length - offset);
        return _address + offset;
    }

    private static void Zero(byte* start, byte* end)
    {
        while (start < end)
        {
            int piece = (int)Math.Min(end - start, 1 << 30);
            new Span<byte>(start, piece).Clear();
            start += piece;
        }
    }

    private void Unmap()
    {
        if (!_disposed)
        {
            _disposed = true;
            _ = LibC.MUnmap((nint)_address, (nint)_length);
        }
    }
}
