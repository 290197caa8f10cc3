using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Thin;

/// <content>The way of reads and writes: at once where the block is mapped and may be overwritten, else through the thread.</content>
internal sealed partial class ThinPool
{
    private readonly HashSet<ulong> _beingDiscarded = []; // data blocks that are free, and not to be taken yet; under the metadata's lock

    /// <summary>Maps a bio of a volume.</summary>
    public MapResult Map(ThinTarget target, Bio bio)
    {
        bio.Context = null;
        bio.ContextValue = 0;
        if (_mode == PoolMode.Fail)
        {
            return MapResult.Kill;
        }

        if (target.HandsBack is { } status)
        {
            return status == BioStatus.Requeue ? MapResult.Requeue : MapResult.Kill;
        }

        if (bio.HasData && (bio.Flags & BioFlags.Fua) == 0 && TryMap(target, bio))
        {
            return MapResult.Remapped;
        }

        Defer(bio);
        return MapResult.Submitted;
    }

    /// <summary>A bio of a volume has ended.</summary>
    public EndResult EndIo(Bio bio, BioStatus status)
    {
        if (bio.ContextValue != 0)
        {
            _grace.Exit(BioThread.Current, (int)bio.ContextValue - 1);
            bio.ContextValue = 0;
        }

        if (bio.Context is Provisioning whole)
        {
            whole.WholeBioEnded(status);
            return EndResult.Incomplete;
        }

        return EndResult.Done;
    }

    /// <summary>Maps a bio where nothing has to be waited for.</summary>
    private bool TryMap(ThinTarget target, Bio bio)
    {
        // Counted first, then looked up: whoever locks a block and waits for a period sees this bio, or it sees the lock.
        BioThread thread = BioThread.Current;
        int counter = _grace.Enter(thread);
        bool mapped = false;
        try
        {
            ulong block = target.OffsetOf(bio.Sector).Value / BlockSize;
            ThinMetadata.Mapping mapping = default;
            mapped = !_suspended && !_cells.IsLocked(target.Volume.Id, block) && TryFindCached(target, block, out mapping)
                && !(mapping.Shared && bio.IsWrite);
            if (mapped)
            {
                Remap(target, bio, mapping.Block);
                bio.ContextValue = (ulong)counter + 1;
            }

            return mapped;
        }
        finally
        {
            if (!mapped)
            {
                _grace.Exit(thread, counter);
            }
        }
    }

    /// <summary>Finds a mapping where neither the lock nor the device has to be waited for.</summary>
    private bool TryFindCached(ThinTarget target, ulong block, out ThinMetadata.Mapping mapping)
    {
        mapping = default;
        if (!_metadata.Lock.TryEnterReadLock(0))
        {
            return false;
        }

        try
        {
            return _metadata.TryFindCached(target.Volume, block, out mapping);
        }
        catch (DmException)
        {
            return false; // the thread finds that out again, and says so
        }
        finally
        {
            _metadata.Lock.ExitReadLock();
        }
    }

    private void Remap(ThinTarget target, Bio bio, ulong dataBlock)
    {
        bio.Device = _data;
        bio.Sector = new Sector((dataBlock * BlockSize) + (target.OffsetOf(bio.Sector).Value % BlockSize));
    }

    /// <summary>Handles a bio on the pool's thread.</summary>
    private void Handle(Bio bio)
    {
        ThinTarget target = (ThinTarget)bio.Target!;
        if (_mode == PoolMode.Fail)
        {
            bio.End(BioStatus.IoError);
        }
        else if (target.HandsBack is { } status)
        {
            bio.End(status);
        }
        else if (bio.Operation == BioOperation.Flush)
        {
            HandleFlush(target, bio);
        }
        else if (bio.Operation == BioOperation.Discard)
        {
            HandleDiscard(target, bio);
        }
        else
        {
            HandleData(target, bio);
        }
    }

    /// <summary>A commit flushes the data too; without one, the data device has to be flushed alone.</summary>
    private void HandleFlush(ThinTarget target, Bio bio)
    {
        if (target.Volume.IsAborted)
        {
            bio.End(BioStatus.IoError);
        }
        else if (_metadata.HasChanges)
        {
            _afterCommit.Add(durable => bio.End(durable ? BioStatus.Ok : BioStatus.IoError));
        }
        else
        {
            bio.Device = _data;
            bio.Send();
        }
    }

    private void HandleData(ThinTarget target, Bio bio)
    {
        ulong block = target.OffsetOf(bio.Sector).Value / BlockSize;
        if (_cells.TryWait(target.Volume.Id, block, bio))
        {
            return;
        }

        Change(() =>
        {
            bool found;
            ThinMetadata.Mapping mapping;
            try
            {
                found = _metadata.TryFind(target.Volume, block, out mapping);
            }
            catch (DmException e)
            {
                Owner.Logger.PoolFailed(Owner.Name, e.Message);
                EndLater(bio, BioStatus.IoError);
                return;
            }

            if (found && !(mapping.Shared && bio.IsWrite))
            {
                SendMapped(target, bio, mapping.Block);
            }
            else if (!bio.IsWrite)
            {
                ReadUnmapped(target, bio);
            }
            else if (_mode != PoolMode.Write)
            {
                Refuse(target, bio);
            }
            else if (TakeBlock(target, bio) is { } dataBlock)
            {
                _cells.Lock(target.Volume.Id, block);
                BeginJob();
                Provisioning provisioning = new(this, target, block, dataBlock, bio);
                if (found)
                {
                    provisioning.ExpectReads();
                    _grace.Request(provisioning.ReadsEnded);
                }

                Provision(provisioning, found ? mapping.Block : null);
            }
        });
    }

    /// <summary>Sends a bio to its data block; a durable write to one that was mapped just now only after the mapping is durable.</summary>
    private void SendMapped(ThinTarget target, Bio bio, ulong dataBlock)
    {
        Remap(target, bio, dataBlock);
        bio.ContextValue = (ulong)_grace.Enter(BioThread.Current) + 1;
        if ((bio.Flags & BioFlags.Fua) != 0 && target.Volume.IsAborted)
        {
            EndLater(bio, BioStatus.IoError);
        }
        else if ((bio.Flags & BioFlags.Fua) != 0 && target.Volume.IsChanged)
        {
            _afterCommit.Add(durable =>
            {
                if (durable)
                {
                    bio.Send();
                }
                else
                {
                    bio.End(BioStatus.IoError);
                }
            });
        }
        else
        {
            SendLater(bio);
        }
    }

    /// <summary>Reads of what was never written: zeroes, or what an external origin has, as far as that reaches; beyond, in a pool that cannot be written, nothing (<c>process_bio_read_only</c>).</summary>
    private void ReadUnmapped(ThinTarget target, Bio bio)
    {
        ulong from = target.OffsetOf(bio.Sector).Value;
        ulong size = target.Origin?.Size.Value ?? 0;
        if (target.Origin is not null && _mode != PoolMode.Write && from + bio.Count.Value > size)
        {
            EndLater(bio, BioStatus.IoError); // the kernel's sends it to the origin as it is
            return;
        }

        if (from + bio.Count.Value > size)
        {
            bio.Buffer.Clear();
        }

        if (from >= size)
        {
            EndLater(bio, BioStatus.Ok);
            return;
        }

        if (from + bio.Count.Value > size)
        {
            bio.Count = new SectorCount(size - from);
            bio.Buffer = bio.Buffer.Slice(0, (int)bio.Count.Bytes);
        }

        bio.Device = target.Origin;
        bio.Sector = new Sector(from);
        SendLater(bio);
    }

    /// <summary>A write that needs a new block, in a mode that has none: it waits for one, or fails.</summary>
    private void Refuse(ThinTarget target, Bio bio)
    {
        if (_mode != PoolMode.OutOfDataSpace)
        {
            EndLater(bio, BioStatus.IoError);
        }
        else if (Features.ErrorIfNoSpace)
        {
            EndLater(bio, BioStatus.NoSpace);
        }
        else if (target.HandsBack is { } status)
        {
            EndLater(bio, status);
        }
        else
        {
            Hold(bio);
        }
    }

    /// <summary>Takes a free data block for a write; where there is none, the write waits or fails (the kernel's <c>alloc_data_block</c>).</summary>
    private ulong? TakeBlock(ThinTarget target, Bio bio)
    {
        try
        {
            TellLowWater();
            if (_metadata.FreeDataBlocks == 0 && !Commit())
            {
                EndLater(bio, BioStatus.IoError);
                return null;
            }

            ulong? block = _metadata.FreeDataBlocks == 0 ? null : TryTake() ?? (Commit() ? TryTake() : null);
            if (block is null && _mode == PoolMode.Write)
            {
                SetMode(PoolMode.OutOfDataSpace);
            }

            if (block is null)
            {
                Refuse(target, bio);
                return null;
            }

            if (_metadata.FreeMetadataBlocks == 0 && (!Commit() || _mode != PoolMode.Write))
            {
                EndLater(bio, BioStatus.IoError);
                return null;
            }

            return block;
        }
        catch (DmException e)
        {
            OperationFailed(e);
            EndLater(bio, BioStatus.IoError);
            return null;
        }
    }

    /// <summary>Takes a block that no discard is on its way to.</summary>
    private ulong? TryTake()
    {
        List<ulong> skipped = [];
        try
        {
            while (true)
            {
                ulong block = _metadata.AllocateData();
                if (!_beingDiscarded.Contains(block))
                {
                    return block;
                }

                skipped.Add(block);
            }
        }
        catch (DmException e) when (e.Errno == Errno.ENOSPC)
        {
            return null;
        }
        finally
        {
            skipped.ForEach(_metadata.ReleaseData);
        }
    }

    private void TellLowWater()
    {
        if (!_lowWaterTold && _metadata.FreeDataBlocks <= (_target?.LowWater ?? 0))
        {
            _lowWaterTold = true;
            _events++;
        }
    }
}
