using DeviceMapper.Io;

namespace DeviceMapper.Backends;

/// <summary>An open device below the mapped devices: file, block device, memory, mapped device.</summary>
/// <remarks>
/// <see cref="BlockDevice.Process"/> may be called by many threads at once. A short read or write is finished or
/// reported; EINTR is repeated; a bio beyond <see cref="BlockDevice.Size"/> ends with an error.
/// </remarks>
public abstract class Backend : BlockDevice, IDisposable
{
    /// <summary>
    /// Where I/O really goes: this backend, or the mapped device that it stands for. Targets send their bios there,
    /// so that a stack of mapped devices is one loop.
    /// </summary>
    public virtual BlockDevice Target => this;

    /// <summary>
    /// Finds out which parts of a range hold data (lseek's SEEK_DATA and SEEK_HOLE): the first extent at
    /// <paramref name="start"/>, its length (at most <paramref name="length"/>) and whether it is a hole that reads as zeroes.
    /// </summary>
    /// <returns>Length and kind; by default all of it is data.</returns>
    public virtual (SectorCount Length, bool Hole) ExtentAt(Sector start, SectorCount length) => (length, false);

    /// <summary>
    /// What its write cache is shared with: opens of a device that have the same word here are made durable by one flush to any of them.
    /// By default all that reach a device share its cache, as a disk's paths do; a server on the network that promises less has a word of its own
    /// for what it does promise (one for all connections to a server with NBD's multi-conn, else one for each connection).
    /// </summary>
    public virtual string? CacheDomain => null;

    /// <summary>Closes it. No bio is in flight.</summary>
    public abstract void Dispose();
}
