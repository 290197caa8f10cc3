using System.Collections.Concurrent;
using DeviceMapper.Backends;
using DeviceMapper.Fuse.Mounting;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeviceMapper.Fuse.Loop;

/// <summary>A mapped device and its block device.</summary>
/// <param name="Device">The mapped device.</param>
/// <param name="Number">The number of the block device: 7:N.</param>
/// <param name="Node">Its node: <c>/dev/loopN</c>.</param>
public sealed record BlockAttachment(MappedDevice Device, DeviceNumber Number, string Node);

/// <summary>
/// Makes block devices of mapped devices: each has a loop device on its file in a <see cref="FuseMount"/>. Add it to a registry by
/// <see cref="DeviceRegistry.AddExport"/>, after the mount.
/// </summary>
/// <remarks>The loop device's own open of the file is not counted as one of the device; who uses the loop device is.</remarks>
public sealed class LoopExport : IDeviceExport, IDisposable
{
    private readonly string _mapper;
    private readonly bool _all;
    private readonly ILogger _logger;
    private readonly BlockLinks _links;
    private readonly Lock _attaching = new(); // one attaches, detaches or names at a time
    private readonly ConcurrentDictionary<MappedDevice, LoopDevice> _loops = new();
    private readonly ConcurrentDictionary<MappedDevice, Freezer> _frozen = new();

    /// <summary>Begins; what a killed daemon left in the same folders must be cleaned up before, by <see cref="CleanUp"/>.</summary>
    /// <param name="mount">Where the devices are files.</param>
    /// <param name="folder">A folder of its own, for a symbolic link to each block device.</param>
    /// <param name="all">Every device becomes a block device when it appears; else only those of <see cref="Attach"/>.</param>
    /// <param name="logger">Where it logs.</param>
    /// <exception cref="DmException">The folder cannot be made.</exception>
    public LoopExport(FuseMount mount, string folder, bool all, ILogger? logger = null)
    {
        _mapper = mount.Folder;
        _all = all;
        _logger = logger ?? NullLogger.Instance;
        _links = new BlockLinks(folder);
        _links.Prepare();
    }

    /// <summary>All block devices, by the name of their mapped device in byte order.</summary>
    public IReadOnlyList<BlockAttachment> Attachments =>
        [.. _loops.Select(pair => new BlockAttachment(pair.Key, pair.Value.Number, pair.Value.Path)).OrderBy(a => a.Device.Name, StringComparer.Ordinal)];

    /// <summary>
    /// Detaches the loop devices of a daemon that was killed, before its dead mount is unmounted: the path tells that they are its. What
    /// it left frozen is thawed. Who has one still open gets errors, and it is detached when he closes it.
    /// </summary>
    /// <param name="mapper">The folder of the mount.</param>
    /// <param name="logger">Where it logs.</param>
    /// <exception cref="DmException">The folder above it cannot be used.</exception>
    public static void CleanUp(string mapper, ILogger logger)
    {
        mapper = MountPoint.Resolve(mapper);
        foreach (LoopDevice loop in LoopDevice.Attached().Where(l => l.BackingFile?.StartsWith(mapper + "/", StringComparison.Ordinal) == true))
        {
            try
            {
                foreach (string folder in FileSystems.On(loop.Number))
                {
                    FileSystems.Thaw(folder);
                }

                if (!loop.Detach(whenUnused: true))
                {
                    logger.LogWarning("{Loop} is left from a daemon that was killed, and is {Users}", loop.Path, DeviceUsers.Of(loop.Number));
                }
            }
            catch (DmException e)
            {
                logger.LogWarning("{Loop} is left from a daemon that was killed: {Reason}", loop.Path, e.Message);
            }
        }
    }

    /// <summary>Makes a block device of a mapped device, if it has none.</summary>
    /// <exception cref="DmException">ENXIO: it has never been resumed with a table; else there is no loop device to be had.</exception>
    public BlockAttachment Attach(MappedDevice device)
    {
        if (!device.HasAppeared)
        {
            throw new DmException(Errno.ENXIO, $"'{device.Name}' has never been resumed with a table");
        }

        LoopDevice loop = LoopOf(device);
        return new BlockAttachment(device, loop.Number, loop.Path);
    }

    /// <summary>Ends a mapped device's block device, if it has one.</summary>
    /// <exception cref="DmException">EBUSY: somebody has it open.</exception>
    public void Detach(MappedDevice device)
    {
        if (!LetGo(device, whenUnused: false))
        {
            throw new DmException(Errno.EBUSY, $"the block device of '{device.Name}' is {UserOf(device)}");
        }
    }

    /// <inheritdoc/>
    public void Appeared(MappedDevice device)
    {
        if (_all && device.Size != SectorCount.Zero)
        {
            AppearedWithSize(device);
        }
    }

    /// <inheritdoc/>
    public void Renamed(MappedDevice device, string oldName)
    {
        lock (_attaching)
        {
            if (_loops.TryGetValue(device, out LoopDevice? loop))
            {
                _links.Remove(oldName);
                Name(device, loop);
            }
        }
    }

    /// <inheritdoc/>
    public void Changed(MappedDevice device)
    {
        if (!_loops.TryGetValue(device, out LoopDevice? loop))
        {
            Appeared(device);
            return;
        }

        try
        {
            loop.FollowSize();
            loop.SetBlockSize(device.Limits.LogicalBlockSize);
        }
        catch (DmException e)
        {
            _logger.LogWarning("{Device}: {Reason} ({Errno})", device.Name, e.Message, e.Errno.Text());
        }

        loop.SetReadOnly(device.IsReadOnly);
    }

    /// <inheritdoc/>
    public void Vanished(MappedDevice device)
    {
        lock (_attaching)
        {
            Forget(device);
            _links.Remove(device.Name); // also of one that is left to its users
        }

        Thaw(device);
    }

    /// <inheritdoc/>
    public void Settle()
    {
        // A close of a block device has happened when close(2) returns.
    }

    /// <inheritdoc/>
    public bool IsInUse(MappedDevice device)
    {
        ForgetIfDetached(device);
        return _loops.TryGetValue(device, out LoopDevice? loop) && loop.IsClaimed;
    }

    /// <inheritdoc/>
    public string? UserOf(MappedDevice device) =>
        _loops.TryGetValue(device, out LoopDevice? loop) ? $"{DeviceUsers.Of(loop.Number)}, as {loop.Path}" : null;

    /// <inheritdoc/>
    public bool LetGo(MappedDevice device, bool whenUnused)
    {
        lock (_attaching)
        {
            ForgetIfDetached(device);
            if (!_loops.TryGetValue(device, out LoopDevice? loop))
            {
                return true;
            }

            // While its I/O waits, a detach that is taken back would wait too: it is not tried where somebody is known to have it open.
            bool known = !whenUnused && (loop.IsClaimed || (device.IsSuspended && DeviceUsers.HaveOpen(loop.Number)));
            bool detached = !known && loop.Detach(whenUnused);
            if (detached)
            {
                Forget(device);
            }
            else if (whenUnused && _loops.TryRemove(device, out _))
            {
                device.ShowOpen(); // its last close is the device's
            }

            return detached;
        }
    }

    /// <inheritdoc/>
    public void Freeze(MappedDevice device)
    {
        if (_loops.TryGetValue(device, out LoopDevice? loop) && loop.IsClaimed && Freezer.Freeze(loop.Number) is { } freezer)
        {
            _frozen[device] = freezer;
        }
    }

    /// <inheritdoc/>
    public void Thaw(MappedDevice device)
    {
        if (_frozen.TryRemove(device, out Freezer? freezer))
        {
            freezer.Dispose();
        }
    }

    /// <summary>Thaws what is frozen and detaches all loop devices; one that somebody has open is detached on its last close.</summary>
    public void Dispose()
    {
        foreach (MappedDevice device in _frozen.Keys)
        {
            Thaw(device);
        }

        foreach (MappedDevice device in _loops.Keys)
        {
            LetGo(device, whenUnused: true);
        }

        _links.Dispose();
    }

    private void AppearedWithSize(MappedDevice device)
    {
        try
        {
            LoopOf(device);
        }
        catch (DmException e)
        {
            _logger.LogWarning("{Device} is no block device: {Reason} ({Errno})", device.Name, e.Message, e.Errno.Text());
        }
    }

    private LoopDevice LoopOf(MappedDevice device)
    {
        lock (_attaching)
        {
            ForgetIfDetached(device);
            if (!_loops.TryGetValue(device, out LoopDevice? loop))
            {
                loop = LoopDevice.Attach(Path.Join(_mapper, device.Name), device.Limits.LogicalBlockSize);
                device.HideOpen();
                _loops[device] = loop;
                loop.SetReadOnly(device.IsReadOnly);
                Name(device, loop);
            }

            return loop;
        }
    }

    private void Name(MappedDevice device, LoopDevice loop)
    {
        if (_links.Add(device.Name, loop.Path) is { } reason)
        {
            _logger.LogWarning("{Device}: /dev/mapper/{Name} cannot be made; it is {Loop}: {Reason}", device.Name, device.Name, loop.Path, reason);
        }
    }

    /// <summary>Somebody may have detached it by losetup.</summary>
    private void ForgetIfDetached(MappedDevice device)
    {
        if (_loops.TryGetValue(device, out LoopDevice? loop) && loop.BackingFile?.StartsWith(_mapper + "/", StringComparison.Ordinal) != true)
        {
            Forget(device);
        }
    }

    private void Forget(MappedDevice device)
    {
        if (_loops.TryRemove(device, out _))
        {
            _links.Remove(device.Name);
            device.ShowOpen();
        }
    }
}
