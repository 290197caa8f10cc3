using System.Runtime.InteropServices;

namespace DeviceMapper.Native;

/// <summary>Memory that holds zeroes, to write from. Never to be written to.</summary>
internal static unsafe class ZeroMemory
{
    /// <summary>Bytes.</summary>
    public const int Length = 1 << 20;

    private const int Alignment = 4096; // so that O_DIRECT may use it

    /// <summary>Its first byte.</summary>
    public static nint Address { get; } = Allocate();

    private static nint Allocate()
    {
        void* memory = NativeMemory.AlignedAlloc(Length, Alignment);
        NativeMemory.Clear(memory, Length);
        return (nint)memory;
    }
}
