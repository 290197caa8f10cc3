using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Thin;

/// <summary>
/// A pool: the metadata, the data device, and the thread that changes them. The tables of a pool's device share it, and so do the tables of its
/// volumes (the kernel's <c>struct pool</c>, drivers/md/dm-thin.c).
/// </summary>
/// <remarks>
/// Bios to blocks that are mapped, and not shared, are mapped at once by whoever submits them, under the metadata's lock for reading. All else goes
/// to the pool's thread, which alone waits for metadata. It changes the metadata under the lock for writing, gathers what is to be sent and ended,
/// and does that when it has let the lock go.
/// </remarks>
internal sealed partial class ThinPool : IDisposable
{
    private static readonly TimeSpan _commitPeriod = TimeSpan.FromSeconds(1);

    private readonly ThinMetadata _metadata;
    private readonly BlockDevice _data;
    private readonly ITimer _commitTimer;
    private readonly ITimer _noSpaceTimer;
    private readonly Copier _copier = new(16 << 20);
    private readonly GracePeriods _grace;
    private readonly BlockCells _cells = new();
    private volatile PoolMode _mode = PoolMode.Write; // a table that wants another is one change of it more, with its event
    private volatile bool _suspended = true;
    private ThinPoolTarget? _target; // that is bound: the live table's
    private bool _lowWaterTold;
    private int _metadataLowTold;
    private int _events; // to be raised when no lock is held

    /// <summary>Opens the metadata, or formats it. Waits.</summary>
    public ThinPool(MappedDevice owner, DeviceReference metadata, DeviceReference data, uint blockSize, PoolFeatures features)
    {
        Owner = owner;
        MetadataIdentity = metadata.TableDevice.Identity;
        DataIdentity = data.TableDevice.Identity;
        BlockSize = blockSize;
        Features = features;
        _data = data.Device;
        _metadata = new ThinMetadata(metadata.Device, blockSize, FlushData, mayFormat: !features.ReadOnly);
        _grace = new GracePeriods(Wake);
        TimeProvider time = owner.Registry.Options.Time;
        _commitTimer = time.CreateTimer(_ => Post(CommitByTime), null, _commitPeriod, _commitPeriod);
        _noSpaceTimer = time.CreateTimer(_ => Post(GiveUpWaitingForSpace), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _thread = new Thread(Run) { IsBackground = true, Name = "thin-pool" };
        _thread.Start();
    }

    /// <summary>The mapped device that is the pool.</summary>
    public MappedDevice Owner { get; }

    /// <summary>The metadata device.</summary>
    public DeviceIdentity MetadataIdentity { get; }

    /// <summary>The data device.</summary>
    public DeviceIdentity DataIdentity { get; }

    /// <summary>Sectors of a block.</summary>
    public uint BlockSize { get; }

    /// <summary>What holds at present; bound with the live table.</summary>
    public PoolFeatures Features { get; private set; }

    /// <summary>Targets that use it; guarded by <see cref="Pools"/>.</summary>
    public int Users { get; set; }

    /// <summary>What it can do at present.</summary>
    public PoolMode Mode => _mode;

    /// <summary>Whether its device is suspended: its volumes wait.</summary>
    public bool IsSuspended => _suspended;

    /// <summary>The blocks of the live table; 0 before the first resume.</summary>
    public ulong TableBlocks => (_target?.Length.Value ?? 0) / BlockSize;

    /// <summary>Sets how few free metadata blocks raise an event: a table does as soon as it is loaded, as in the kernel. Waits.</summary>
    public void SetMetadataThreshold(ulong blocks) => Change(() => _metadata.SetMetadataThreshold(blocks));

    /// <summary>A table becomes live: its features hold, and devices that have grown are used (the kernel's <c>pool_preresume</c>). Waits.</summary>
    /// <exception cref="DmException">EINVAL: a device is smaller than the pool.</exception>
    public void Bind(ThinPoolTarget target)
    {
        Change(() =>
        {
            PoolMode wanted = target.WantedMode;
            _target = target;
            _metadata.SaveNeedsCheck();
            Features = target.Features with { DiscardPassdown = target.Features.DiscardPassdown && _data.Limits.MaxDiscard.Value >= BlockSize };
            SetMode(wanted);
            bool grown = GrowData(target.Length.Value / BlockSize) | GrowMetadata();
            if (grown)
            {
                Commit();
            }
        });
    }

    /// <summary>The pool's device is resumed: volumes go on.</summary>
    public void Resume()
    {
        lock (_queue)
        {
            _lowWaterTold = false;
            _suspended = false;
            RetryHeld();
            Monitor.PulseAll(_queue);
        }
    }

    /// <summary>The pool's device is about to be suspended: bios of volumes are kept from now on, and those on their way end. Waits.</summary>
    public void Suspend()
    {
        _suspended = true;
        using ManualResetEventSlim done = new();
        Post(done.Set); // what the thread had begun to handle is sent, or has become a job
        done.Wait();
        lock (_queue)
        {
            while (_jobs > 0)
            {
                Monitor.Wait(_queue);
            }
        }

        done.Reset();
        Post(() => _grace.Request(done.Set));
        done.Wait();
    }

    /// <summary>The suspend was given up.</summary>
    public void UndoSuspend() => Resume();

    /// <summary>Opens a volume. Waits.</summary>
    /// <exception cref="DmException">ENODATA: there is none of this number.</exception>
    public ThinMetadata.Volume Open(ulong id) => Read(metadata => metadata.OpenVolume(id));

    /// <summary>Closes a volume.</summary>
    public void Close(ThinMetadata.Volume volume) => Change(() => _metadata.CloseVolume(volume));

    /// <summary>Commits what has changed. Waits.</summary>
    public void CommitNow() => Change(() => Commit());

    /// <summary>Stops the thread; no bio is on its way. What could be committed has been.</summary>
    public void Dispose()
    {
        _commitTimer.Dispose();
        _noSpaceTimer.Dispose();
        Stop();
        Change(() =>
        {
            Commit();
            _metadata.SaveNeedsCheck();
        });
    }

    /// <summary>Changes the metadata; events are raised, and bios sent, when the lock is let go. Waits.</summary>
    public void Change(Action change)
    {
        _metadata.Lock.EnterWriteLock();
        try
        {
            change();
        }
        finally
        {
            _metadata.Lock.ExitWriteLock();
            Deliver();
        }
    }

    /// <summary>Reads the metadata. Waits.</summary>
    public T Read<T>(Func<ThinMetadata, T> read)
    {
        _metadata.Lock.EnterWriteLock(); // reading may read blocks, which puts them into the cache
        try
        {
            return read(_metadata);
        }
        finally
        {
            _metadata.Lock.ExitWriteLock();
        }
    }

    /// <summary>Commits; room that this makes is used at once (the kernel's <c>commit</c>). Under the lock.</summary>
    /// <returns>Whether everything is durable.</returns>
    public bool Commit()
    {
        if (_mode >= PoolMode.OutOfMetadataSpace)
        {
            return false;
        }

        try
        {
            _metadata.Commit();
        }
        catch (DmException e)
        {
            OperationFailed(e);
            return false;
        }

        _events += Math.Max(0, _metadata.TimesMetadataLow - _metadataLowTold);
        _metadataLowTold = _metadata.TimesMetadataLow;
        if (_metadata.FreeMetadataBlocks == 0)
        {
            SetMode(PoolMode.OutOfMetadataSpace);
        }
        else if (_mode == PoolMode.OutOfDataSpace && _metadata.FreeDataBlocks > 0)
        {
            SetMode(PoolMode.Write);
            RetryHeld();
        }

        return true;
    }

    /// <summary>Goes to another mode; tells who waits for events (the kernel's <c>set_pool_mode</c>). Under the lock.</summary>
    private void SetMode(PoolMode mode)
    {
        PoolMode before = _mode;
        if (mode == PoolMode.Write && _metadata.NeedsCheck)
        {
            mode = before != PoolMode.Write ? before : PoolMode.ReadOnly; // not before it was checked
        }

        if (before == PoolMode.Fail)
        {
            mode = PoolMode.Fail; // there is no way back
        }

        switch (mode)
        {
            case PoolMode.Write:
                _noSpaceTimer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                Features = Features with { ErrorIfNoSpace = _target?.Features.ErrorIfNoSpace ?? Features.ErrorIfNoSpace };
                break;
            case PoolMode.OutOfDataSpace:
                if (!Features.ErrorIfNoSpace && Owner.Registry.Options.NoSpaceTimeout is { Ticks: > 0 } patience)
                {
                    _noSpaceTimer.Change(patience, Timeout.InfiniteTimeSpan);
                }

                break;
            default:
                EndHeld(BioStatus.IoError);
                break;
        }

        _mode = mode;
        if (_target is not null)
        {
            _target.WantedMode = mode; // a resume without another table keeps it
        }

        if (before != mode)
        {
            _events++;
        }
    }

    /// <summary>A change of the metadata failed: back to the last commit, and no further (the kernel's <c>metadata_operation_failed</c>). Under the lock.</summary>
    private void OperationFailed(DmException reason)
    {
        Owner.Logger.PoolFailed(Owner.Name, reason.Message);
        try
        {
            _metadata.Abort();
            _metadata.SetNeedsCheck();
        }
        catch (DmException e)
        {
            Owner.Logger.PoolFailed(Owner.Name, e.Message);
            SetMode(PoolMode.Fail);
        }

        SetMode(PoolMode.ReadOnly);
    }

    private bool GrowData(ulong blocks)
    {
        if (blocks < _metadata.DataBlocks)
        {
            throw new DmException(
                Errno.EINVAL, $"thin-pool: the table has {blocks} blocks, fewer than the pool, which has {_metadata.DataBlocks}; pools do not shrink");
        }

        if (blocks == _metadata.DataBlocks || _metadata.NeedsCheck || _mode >= PoolMode.OutOfMetadataSpace)
        {
            return false;
        }

        return Grow(() => _metadata.ExtendData(blocks));
    }

    private bool GrowMetadata()
    {
        ulong blocks = Math.Min(_metadata.DeviceBlocks, ThinMetadata.MostMetadataBlocks);
        if (blocks < _metadata.MetadataBlocks)
        {
            throw new DmException(
                Errno.EINVAL, $"thin-pool: the metadata device has {blocks} blocks, fewer than the pool's metadata, which has {_metadata.MetadataBlocks}");
        }

        if (blocks == _metadata.MetadataBlocks || _metadata.NeedsCheck)
        {
            return false;
        }

        if (_mode == PoolMode.OutOfMetadataSpace)
        {
            SetMode(PoolMode.Write);
        }

        return _mode < PoolMode.OutOfMetadataSpace && Grow(() => _metadata.ExtendMetadata(blocks));
    }

    private bool Grow(Action extend)
    {
        try
        {
            extend();
            return true;
        }
        catch (DmException e)
        {
            OperationFailed(e);
            throw;
        }
    }

    private void CommitByTime()
    {
        if (_metadata.HasChanges)
        {
            Change(() => Commit());
        }
    }

    /// <summary>Nobody made room in time: from now on writes fail that would need it.</summary>
    private void GiveUpWaitingForSpace() => Change(() =>
    {
        if (_mode == PoolMode.OutOfDataSpace && !Features.ErrorIfNoSpace)
        {
            Features = Features with { ErrorIfNoSpace = true };
            _events++;
            EndHeld(BioStatus.NoSpace);
        }
    });

    private void FlushData()
    {
        BioStatus status = BlockingIo.Flush(_data);
        if (status != BioStatus.Ok)
        {
            throw new DmException(status.ToErrno(), "the data device cannot be flushed");
        }
    }
}
