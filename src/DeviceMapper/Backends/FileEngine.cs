namespace DeviceMapper.Backends;

/// <summary>Who waits for the disk below a file (QEMU's <c>aio</c>).</summary>
internal enum FileEngine
{
    /// <summary>An io_uring, of a thread that has more to do than to wait, where the kernel has one; else the threads that submit.</summary>
    Automatic,

    /// <summary>An io_uring, always.</summary>
    IoUring,

    /// <summary>The threads that submit.</summary>
    Threads,
}
