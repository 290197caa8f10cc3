using System.Numerics;
using DeviceMapper.Fuse.Protocol;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse;

/// <summary>A device as a regular file: its data, its size, and who has it open.</summary>
internal abstract class FuseFile
{
    private const uint RegularFile = 0x8000; // S_IFREG
    private const uint PermissionBits = 0xfff;

    private readonly DateTimeOffset _appeared = DateTimeOffset.UtcNow;
    private uint? _permissions; // what somebody chose by chmod
    private int _opens;

    protected FuseFile(string name, uint minor, uint user, uint group)
    {
        Name = name;
        Inode = minor + 2ul; // 1 is the root directory's
        User = user;
        Group = group;
    }

    /// <summary>Its name in the directory. Changed by the directory only.</summary>
    public string Name { get; set; }

    /// <summary>What the kernel calls it by: given by the directory, and never again to another device, as a minor may be.</summary>
    public ulong NodeId { get; set; }

    /// <summary>The inode number that users see.</summary>
    public ulong Inode { get; }

    public uint User { get; set; }

    public uint Group { get; set; }

    /// <summary>Keeps writes of less than whole blocks apart from others.</summary>
    public WriteGate Gate { get; } = new();

    /// <summary>Where its bios go.</summary>
    public abstract BlockDevice Device { get; }

    public abstract bool IsReadOnly { get; }

    public ulong Size => Device.Size.Bytes;

    /// <summary>The unit of the device's I/O, in bytes; a power of two.</summary>
    public uint BlockSize => Math.Max(Device.Limits.LogicalBlockSize, (uint)Sector.Size);

    /// <summary>Permissions: 0600, or 0400 for a read-only device, unless somebody chose others.</summary>
    public uint Permissions
    {
        get => _permissions ?? (IsReadOnly ? 0x100u : 0x180u);
        set => _permissions = value & PermissionBits;
    }

    /// <summary>Counts an open.</summary>
    /// <exception cref="DmException">The device is being removed.</exception>
    public void Open()
    {
        OpenDevice();
        Interlocked.Increment(ref _opens);
    }

    /// <summary>Ends an open. One more than there are, which would be the kernel's mistake, is ignored.</summary>
    public void Release()
    {
        int opens = Volatile.Read(ref _opens);
        while (opens > 0)
        {
            int seen = Interlocked.CompareExchange(ref _opens, opens - 1, opens);
            if (seen == opens)
            {
                CloseDevice();
                return;
            }

            opens = seen;
        }
    }

    /// <summary>Ends all opens: the mount is gone, and their releases will not come.</summary>
    public void ReleaseAll()
    {
        for (int opens = Interlocked.Exchange(ref _opens, 0); opens > 0; opens--)
        {
            CloseDevice();
        }
    }

    /// <summary>The first extent from a sector on, at most so long, and whether it is a hole.</summary>
    public abstract (SectorCount Length, bool Hole) ExtentAt(Sector start, SectorCount length);

    /// <summary>Reads from the good paths of a multipath device, and fails those where that does not work. Waits for them.</summary>
    /// <exception cref="DmException">ENOTTY: it is no multipath device. EAGAIN: it is suspended. ENOTCONN: no path is left.</exception>
    public abstract void ProbePaths();

    /// <summary>What stat(2) shows.</summary>
    public FuseAttr Attributes()
    {
        QueueLimits limits = Device.Limits;
        ulong size = Size;
        ulong seconds = (ulong)_appeared.ToUnixTimeSeconds();
        uint preferred = Math.Clamp(Math.Max(limits.IoMin, limits.PhysicalBlockSize), 4096, 1 << 20);
        return new FuseAttr
        {
            Inode = Inode,
            Size = size,
            Blocks = size >> Sector.Shift,
            AccessTime = seconds,
            ModifyTime = seconds,
            ChangeTime = seconds,
            Mode = RegularFile | Permissions,
            Links = 1,
            User = User,
            Group = Group,
            BlockSize = BitOperations.RoundUpToPowerOf2(preferred),
        };
    }

    protected abstract void OpenDevice();

    protected abstract void CloseDevice();
}

/// <summary>A mapped device as a file.</summary>
internal sealed class MappedFile(MappedDevice device, uint user, uint group)
    : FuseFile(device.Name, device.Number.Minor, user, group)
{
    public override BlockDevice Device => device;

    public override bool IsReadOnly => device.IsReadOnly;

    public override (SectorCount Length, bool Hole) ExtentAt(Sector start, SectorCount length) => device.ExtentAt(start, length);

    public override void ProbePaths()
    {
        if (device.TableTexts(arguments: true) is not [{ Type: "multipath" }])
        {
            throw new DmException(Errno.ENOTTY, $"'{device.Name}' is no multipath device");
        }

        if (device.IsSuspended)
        {
            throw new DmException(Errno.EAGAIN, $"'{device.Name}' is suspended");
        }

        _ = device.Message(default, "probe_paths");
    }

    protected override void OpenDevice() => device.Open();

    protected override void CloseDevice() => device.Close();
}
