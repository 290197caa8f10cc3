using System.Runtime.CompilerServices;

namespace DeviceMapper.Io;

/// <summary>A piece of native memory. Never moved, so system calls may use it while a bio is in flight.</summary>
/// <param name="Address">Its first byte.</param>
/// <param name="Length">Its bytes; a multiple of 512 in a bio.</param>
public readonly record struct BufferSegment(nint Address, int Length)
{
    /// <summary>The memory.</summary>
    public unsafe Span<byte> Span => new((void*)Address, Length);
}

/// <summary>
/// The memory of a bio: one segment, or a window on a list of them. Taking a part allocates and copies nothing
/// (the kernel's immutable bio_vec with an iterator of each clone's own).
/// </summary>
public readonly struct BioBuffer
{
    private readonly BufferSegment[]? _segments;
    private readonly nint _address; // of the first byte
    private readonly int _first; // index of the segment that holds the first byte, where there is a list
    private readonly int _firstLength; // bytes from _address to the end of that segment

    /// <summary>Memory in one piece.</summary>
    public BioBuffer(nint address, int length)
    {
        _address = address;
        _firstLength = length;
        Length = length;
    }

    /// <summary>Memory in several pieces, in order. The array must not change while the bio is in flight.</summary>
    public BioBuffer(BufferSegment[] segments)
    {
        int length = 0;
        foreach (BufferSegment segment in segments)
        {
            length = checked(length + segment.Length);
        }

        _segments = segments;
        Length = length;
        if (segments.Length > 0)
        {
            _address = segments[0].Address;
            _firstLength = segments[0].Length;
        }
    }

    private BioBuffer(BufferSegment[]? segments, int first, nint address, int firstLength, int length)
    {
        _segments = segments;
        _first = first;
        _address = address;
        _firstLength = firstLength;
        Length = length;
    }

    /// <summary>All its bytes.</summary>
    public int Length { get; }

    /// <summary>Whether it is in one piece, so that <see cref="Address"/> reaches all of it.</summary>
    public bool IsContiguous => Length <= _firstLength;

    /// <summary>The first byte.</summary>
    public nint Address => _address;

    /// <summary>The memory, where <see cref="IsContiguous"/>.</summary>
    public unsafe Span<byte> Span => IsContiguous
        ? new Span<byte>((void*)_address, Length)
        : throw new InvalidOperationException("The buffer is in several pieces.");

    /// <summary>A part of it.</summary>
    /// <param name="offset">In bytes.</param>
    /// <param name="length">In bytes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public BioBuffer Slice(int offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)offset + (ulong)(uint)length, (ulong)Length, nameof(length));
        return offset < _firstLength || _segments is null
            ? new BioBuffer(_segments, _first, _address + offset, _firstLength - offset, length)
            : SliceFurther(offset, length);
    }

    /// <summary>Its pieces, in order.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Whether each piece starts and ends at a multiple of <paramref name="alignment"/> bytes (a power of two), as O_DIRECT asks.</summary>
    public bool IsAligned(int alignment)
    {
        foreach (BufferSegment segment in this)
        {
            if (((segment.Address | segment.Length) & (alignment - 1)) != 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Copies all of it out; <paramref name="destination"/> must be as long.</summary>
    public void CopyTo(Span<byte> destination)
    {
        foreach (BufferSegment segment in this)
        {
            segment.Span.CopyTo(destination);
            destination = destination[segment.Length..];
        }
    }

    /// <summary>Copies all of it to another buffer, which must be as long; the two may be in different pieces.</summary>
    public void CopyTo(BioBuffer destination)
    {
        int offset = 0;
        foreach (BufferSegment segment in this)
        {
            destination.Slice(offset, segment.Length).CopyFrom(segment.Span);
            offset += segment.Length;
        }
    }

    /// <summary>Fills all of it; <paramref name="source"/> must be as long.</summary>
    public void CopyFrom(ReadOnlySpan<byte> source)
    {
        foreach (BufferSegment segment in this)
        {
            source[..segment.Length].CopyTo(segment.Span);
            source = source[segment.Length..];
        }
    }

    /// <summary>Fills it with zeroes.</summary>
    public void Clear()
    {
        foreach (BufferSegment segment in this)
        {
            segment.Span.Clear();
        }
    }

    private BioBuffer SliceFurther(int offset, int length)
    {
        int index = _first;
        int rest = offset - _firstLength;
        do
        {
            index++;
            if (index == _segments!.Length)
            {
                return default; // an empty slice at the very end
            }

            BufferSegment segment = _segments[index];
            if (rest < segment.Length)
            {
                return new BioBuffer(_segments, index, segment.Address + rest, segment.Length - rest, length);
            }

            rest -= segment.Length;
        }
        while (true);
    }

    /// <summary>Walks over the pieces of a buffer.</summary>
    public struct Enumerator
    {
        private readonly BioBuffer _buffer;
        private int _index;
        private int _left;

        internal Enumerator(BioBuffer buffer)
        {
            _buffer = buffer;
            _index = buffer._first - 1;
            _left = buffer.Length;
        }

        /// <summary>The present piece.</summary>
        public BufferSegment Current { get; private set; }

        /// <summary>Goes to the next piece.</summary>
        public bool MoveNext()
        {
            if (_left <= 0)
            {
                return false;
            }

            _index++;
            BufferSegment segment = _index == _buffer._first
                ? new BufferSegment(_buffer._address, _buffer._firstLength)
                : _buffer._segments![_index];
            Current = segment.Length > _left ? segment with { Length = _left } : segment;
            _left -= Current.Length;
            return true;
        }
    }
}
