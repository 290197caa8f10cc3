using System.Runtime.InteropServices;
using DeviceMapper.Io;

namespace DeviceMapper.Native;

/// <summary>Memory of a thread's own that O_DIRECT may use, for bios whose own memory it may not.</summary>
internal sealed unsafe class BounceBuffer
{
    /// <summary>Bytes.</summary>
    public const int Length = 256 << 10;

    private const int Alignment = 4096;

    [ThreadStatic]
    private static BounceBuffer? _current;

    private readonly void* _memory = NativeMemory.AlignedAlloc(Length, Alignment);

    ~BounceBuffer() => NativeMemory.AlignedFree(_memory);

    /// <summary>This thread's.</summary>
    public static BounceBuffer Current => _current ??= new BounceBuffer();

    /// <summary>Its first bytes.</summary>
    public BioBuffer First(int length) => new((nint)_memory, length);
}
