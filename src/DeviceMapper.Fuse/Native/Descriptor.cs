using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Native;

/// <summary>An open file, closed when disposed.</summary>
internal readonly struct Descriptor : IDisposable
{
    private Descriptor(int number) => Number = number;

    /// <summary>What the kernel calls it by in this process.</summary>
    public int Number { get; }

    /// <summary>Opens a path; O_CLOEXEC is added.</summary>
    public static Errno TryOpen(string path, int flags, out Descriptor descriptor)
    {
        int number;
        do
        {
            number = LibC.Open(path, flags | LibC.O_CLOEXEC);
        }
        while (number < 0 && Errnos.Last == Errno.EINTR);

        descriptor = new Descriptor(number);
        return number < 0 ? Errnos.Last : Errno.None;
    }

    /// <summary>Calls an ioctl that takes a number, or nothing.</summary>
    public unsafe Errno Ioctl(nuint request, nuint argument = 0) => Ioctl(request, (void*)argument);

    /// <summary>Calls an ioctl that takes a structure.</summary>
    public unsafe Errno Ioctl<T>(nuint request, ref T argument)
        where T : unmanaged
    {
        fixed (T* address = &argument)
        {
            return Ioctl(request, address);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ = LibC.Close(Number);

    private unsafe Errno Ioctl(nuint request, void* argument) => LibC.Ioctl(Number, request, argument) < 0 ? Errnos.Last : Errno.None;
}
