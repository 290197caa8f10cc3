using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Backends;

/// <summary>
/// What tells one device from another, whatever names it has: the number of a block device or mapped device, st_dev and inode
/// of a file, a name or place of a memory.
/// </summary>
/// <param name="Kind">The kind of device: <c>block</c>, <c>file</c>, <c>mem</c>, <c>nbd</c> ...</param>
/// <param name="Key">What is unique among its kind.</param>
public readonly record struct DeviceIdentity(string Kind, string Key)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Kind} {Key}";
}

/// <summary>
/// A device that a word of a table names, found but not opened: what it is, and how it is claimed and opened.
/// </summary>
public abstract class DeviceSpec
{
    /// <summary>Which device it is.</summary>
    public abstract DeviceIdentity Identity { get; }

    /// <summary>The name in table lines: <c>major:minor</c> of a block device, else its path or URI, which names it again in a table.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// Its own number, where it has one. Others get a number under a second major of this daemon's, stable while they are open.
    /// </summary>
    public virtual DeviceNumber? Number => null;

    /// <summary>The mapped device that it is, or null.</summary>
    public virtual MappedDevice? Mapped => null;

    /// <summary>Whether claiming or opening it may take long; then that is done on a thread of its own, within a time limit.</summary>
    public virtual bool MayHang => true;

    /// <summary>The path that it is opened by; null where it is not opened by one.</summary>
    internal virtual string? OpenPath => null;

    /// <summary>
    /// Takes the device mapper's claim: keeps others out as far as the kind of device can (O_EXCL for a block device,
    /// an OFD lock for a file). The daemon takes one for each identity; it is released by disposing.
    /// </summary>
    /// <exception cref="DmException">EBUSY: somebody else has it; the sentence says who, where that is known.</exception>
    public abstract IDisposable Claim(CancellationToken cancellation);

    /// <summary>Opens the device: a descriptor or connection of the caller's own. May take seconds.</summary>
    /// <exception cref="DmException">The errno of the system call, and a sentence.</exception>
    public abstract Backend Open(DeviceMode mode, CancellationToken cancellation);

    /// <summary>Options that the word carries and a shared, already open device may have otherwise; warns of what cannot be applied.</summary>
    /// <returns>A warning, or null.</returns>
    public virtual string? ApplyOptions(Backend open) => null;

    /// <summary>Undoes what finding the device made (a file that did not exist), when the table that names it is refused.</summary>
    public virtual void Abandon()
    {
    }
}
