using DeviceMapper.Io;
using DeviceMapper.Mapping.Statistics;
using DeviceMapper.Native;
using Microsoft.Extensions.Logging;

namespace DeviceMapper.Mapping;

/// <summary>
/// A mapped device: a block device made by a table of targets (the kernel's <c>struct mapped_device</c>, drivers/md/dm.c).
/// </summary>
/// <remarks>
/// Locks, in the order in which they are taken: <c>_suspending</c> serialises suspend, resume and destruction; the registry's lock of
/// topology is taken for the check for cycles; <c>_state</c> guards the two slots of tables, the open count and the flags; <c>_parked</c>
/// guards the bios that wait; <c>_work</c> the count of those who handle tables. None but the first is held while a device is opened or closed, a target is
/// asked for something, or a bio ends.
/// </remarks>
public sealed partial class MappedDevice : BlockDevice
{
    private const uint PageSectors = 8;
    private const uint LeastReadAhead = 256; // sectors: the kernel's VM_READAHEAD_PAGES

    private readonly Lock _state = new();
    private readonly SemaphoreSlim _suspending = new(1);
    private readonly EventCounter _events = new();
    private readonly CancellationTokenSource _removal = new(); // ends opens under way
    private readonly object _work = new(); // pulses when somebody who handled tables has ended
    private readonly DeviceStatistics _statistics;

    private Table? _inactive; // guarded by _state
    private int _openCount; // guarded by _state
    private int _hiddenOpens; // guarded by _state: of those, the front ends' own
    private bool _removing; // guarded by _state
    private bool _deferredRemove; // guarded by _state
    private bool _hasLoaded; // guarded by _state: a table was loaded once, so later ones are checked at the swap
    private bool _requestBased; // guarded by _state: what the first table made of it for good, as the kernel sees it
    private int _working; // guarded by _work: loads, clears and resumes under way
    private int _loading; // opens under way, for WaitReason
    private volatile uint _readAhead = LeastReadAhead;

    internal MappedDevice(DeviceRegistry registry, string name, string uuid, DeviceNumber number)
    {
        Registry = registry;
        Name = name;
        Uuid = uuid;
        Number = number;
        _statistics = new DeviceStatistics(registry.Options.Time);
        TableDevices = new TableDevices(
            this, registry.Claims, registry.Holders, registry.Options.OpenTimeout, registry.Options.Time, Logger);
    }

    /// <summary>Its present name.</summary>
    public string Name { get; internal set; }

    /// <summary>Its uuid; empty without one.</summary>
    public string Uuid { get; internal set; }

    /// <summary>Its number.</summary>
    public DeviceNumber Number { get; }

    /// <summary>Whether the live table is read-only: writes end with <see cref="BioStatus.ReadOnly"/>.</summary>
    public bool IsReadOnly => _live?.Mode == DeviceMode.ReadOnly;

    /// <summary>Whether it is suspended.</summary>
    public bool IsSuspended => _suspended;

    /// <summary>Whether it has been resumed with a table at least once, so that front ends show it.</summary>
    public bool HasAppeared { get; private set; }

    /// <summary>File handles, connections and table devices that have it open; and one more where its block device is in use.</summary>
    public int OpenCount => HandleCount + (Registry.IsInUse(this) ? 1 : 0);

    /// <summary>Its count of events.</summary>
    public uint EventNumber => _events.Number;

    /// <summary>Of the live table; zero without one.</summary>
    public override SectorCount Size => _live?.Size ?? SectorCount.Zero;

    /// <summary>Of the live table.</summary>
    public override QueueLimits Limits => _live?.Limits ?? QueueLimits.Stacking;

    /// <summary>What was set by <see cref="SetGeometry"/>; forgotten when the size changes.</summary>
    public DiskGeometry? Geometry { get; private set; }

    /// <summary>
    /// How far ahead a page cache should read, in sectors; kept in whole pages. A table that becomes live sets it anew
    /// (<see cref="ReadAheadOf"/>). Nothing here reads ahead: it is for programs that ask.
    /// </summary>
    public uint ReadAhead
    {
        get => _readAhead;
        set => _readAhead = value / PageSectors * PageSectors;
    }

    /// <summary>What it is part of.</summary>
    public DeviceRegistry Registry { get; }

    /// <summary>File handles, connections and table devices that have it open.</summary>
    internal int HandleCount
    {
        get
        {
            lock (_state)
            {
                return Math.Max(_openCount - _hiddenOpens, 0);
            }
        }
    }

    /// <summary>Whether <see cref="Abort"/> gave up its users.</summary>
    internal bool IsAborted => _dead;

    /// <summary>Whether a table was ever loaded into it: in the kernel, it is then a disk that others can open.</summary>
    internal bool HasLoaded
    {
        get
        {
            lock (_state)
            {
                return _hasLoaded;
            }
        }
    }

    /// <summary>Sectors where a write that was given up may still be applied; its tables come and go meanwhile.</summary>
    internal DoubtfulRanges Doubt { get; } = new();

    /// <summary>What it held when it was first opened.</summary>
    internal DiskSamples Samples { get; } = new();

    /// <summary>What its tables share.</summary>
    internal TableDevices TableDevices { get; }

    /// <summary>Where it logs.</summary>
    internal ILogger Logger => Registry.Logger;

    /// <summary>
    /// What a verb that takes long waits for, for people: <c>17 I/Os of m</c>. Null when it waits for nothing.
    /// </summary>
    public string? WaitReason =>
        _gate == GateDraining ? $"{InFlight} I/Os of {Name}"
        : Volatile.Read(ref _loading) > 0 ? $"a table device of {Name} that is being opened"
        : null;

    /// <summary>Sets what <c>HDIO_GETGEO</c> would tell (DM_DEV_SET_GEOMETRY).</summary>
    /// <exception cref="DmException">EINVAL: a number beyond its limit.</exception>
    public void SetGeometry(DiskGeometry geometry)
    {
        if (geometry.Cylinders > ushort.MaxValue || geometry.Heads > byte.MaxValue || geometry.Sectors > byte.MaxValue)
        {
            throw new DmException(Errno.EINVAL, "geometry: at most 65535 cylinders, 255 heads and 255 sectors are expected");
        }

        if (geometry.Start > geometry.Cylinders * geometry.Heads * geometry.Sectors)
        {
            throw new DmException(Errno.EINVAL, $"geometry: the start {geometry.Start} lies beyond its last sector");
        }

        Geometry = geometry;
    }

    /// <summary>Opens it: it cannot be removed until <see cref="Close"/>.</summary>
    /// <exception cref="DmException">ENXIO: it is being removed.</exception>
    public void Open()
    {
        lock (_state)
        {
            if (_removing || _dead)
            {
                throw new DmException(Errno.ENXIO, $"'{Name}' is being removed");
            }

            _openCount++;
        }
    }

    /// <summary>
    /// Ends an <see cref="Open"/>. The last close removes a device that is marked for deferred removal, before this returns; but soon after,
    /// where it is called while a bio ends: a removal waits for bios, and one of them may wait for this thread.
    /// </summary>
    public void Close()
    {
        bool remove;
        lock (_state)
        {
            if (_openCount == 0)
            {
                return; // closed already, by Abort
            }

            remove = --_openCount == _hiddenOpens && _deferredRemove;
        }

        if (remove && BioThread.Current.IsSubmitting)
        {
            ThreadPool.QueueUserWorkItem(static device => device.Registry.RemoveAfterLastClose(device), this, preferLocal: false);
        }
        else if (remove)
        {
            Registry.RemoveAfterLastClose(this);
        }
    }

    /// <summary>One of its opens is a front end's own, and is not counted until <see cref="ShowOpen"/>: that of a loop device on its file.</summary>
    public void HideOpen()
    {
        lock (_state)
        {
            _hiddenOpens++;
        }
    }

    /// <summary>An open that was hidden is counted again, or has been closed.</summary>
    public void ShowOpen()
    {
        lock (_state)
        {
            _hiddenOpens--;
        }
    }

    /// <summary>What DM_DEV_STATUS tells.</summary>
    /// <param name="inactive">Mode and count of targets of the inactive table instead of the live one's.</param>
    public DeviceStatus Status(bool inactive = false)
    {
        int openCount = OpenCount;
        lock (_state)
        {
            Table? live = _live;
            Table? shown = inactive ? _inactive : live;
            return new DeviceStatus
            {
                Name = Name,
                Uuid = Uuid,
                Number = Number,
                OpenCount = openCount,
                EventNumber = _events.Number,
                TargetCount = shown?.Targets.Count ?? 0,
                ReadOnly = shown?.Mode == DeviceMode.ReadOnly,
                Suspended = _suspended,
                ActivePresent = live is not null,
                InactivePresent = _inactive is not null,
                DeferredRemove = _deferredRemove,
                ReadAhead = _hasLoaded ? _readAhead : null,
            };
        }
    }

    /// <summary>Waits until <see cref="EventNumber"/> differs from a number, or the device is removed.</summary>
    /// <exception cref="DmException">EINTR: <paramref name="cancellation"/>.</exception>
    public void WaitForEvent(uint since, CancellationToken cancellation) => _events.Wait(since, cancellation);

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>Counts an event, here and in the registry.</summary>
    internal void RaiseEvent()
    {
        _events.Raise();
        Registry.RaiseEvent();
    }

    /// <summary>What a table asks for: twice its best size of I/O, at least 128 KiB (the kernel's <c>blk_apply_bdi_limits</c>).</summary>
    private static uint ReadAheadOf(QueueLimits limits) => Math.Max(LeastReadAhead, (uint)(2ul * limits.IoOpt / Sector.Size));

    /// <summary>
    /// Makes sure that nobody opens it any more, for its removal (the kernel's <c>dm_lock_for_deletion</c>).
    /// </summary>
    /// <param name="deferred">Mark it for removal on its last close where it is open.</param>
    /// <param name="onlyMarked">Only where it is marked so.</param>
    /// <returns>Null where it may be removed; else why not.</returns>
    internal Errno? LockForRemoval(bool deferred, bool onlyMarked = false)
    {
        lock (_state)
        {
            if (_removing)
            {
                return Errno.ENXIO;
            }

            if (_openCount > _hiddenOpens)
            {
                _deferredRemove |= deferred;
                return Errno.EBUSY;
            }

            if (onlyMarked && !_deferredRemove)
            {
                return Errno.EEXIST;
            }

            _removing = true;
            return null;
        }
    }

    /// <summary>Takes <see cref="LockForRemoval"/> back: a front end's user keeps it from being removed.</summary>
    internal void UnlockForRemoval(bool deferred)
    {
        lock (_state)
        {
            _removing = false;
            _deferredRemove |= deferred;
        }
    }

    /// <summary>Takes the mark for deferred removal back.</summary>
    /// <exception cref="DmException">EBUSY: it is being removed already.</exception>
    internal void CancelDeferredRemoval()
    {
        lock (_state)
        {
            if (_removing)
            {
                throw new DmException(Errno.EBUSY, $"'{Name}' is already being removed");
            }

            _deferredRemove = false;
        }
    }

    /// <summary>Ends everything: it is no longer in the registry, and <see cref="LockForRemoval"/> said yes.</summary>
    internal void Destroy()
    {
        WaitForWork();
        _suspending.Wait();
        try
        {
            Stage(null)?.Destroy();
            Table? live = EndIo();
            live?.Destroy();
            _statistics.DeleteAll();
            TableDevices.CloseLeftovers();
        }
        finally
        {
            _suspending.Release();
        }

        _events.Raise();
        _events.End();
    }

    /// <summary>Puts a table device. A close that fails must not keep the others from being closed.</summary>
    internal void PutTableDevice(TableDevice device)
    {
        try
        {
            TableDevices.Put(device);
        }
        catch (Exception e)
        {
            Logger.CloseFailed(Name, device.Name, e);
        }
    }
}
