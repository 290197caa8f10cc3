using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Thin;

/// <content>
/// Discards: whole blocks lose their mapping once nobody reads or writes them any more. Data blocks that nobody has then are discarded on the data
/// device, too, but only when that they are free is durable: after a crash a snapshot that is back must find its data.
/// </content>
internal sealed partial class ThinPool
{
    private void HandleDiscard(ThinTarget target, Bio bio)
    {
        ulong from = target.OffsetOf(bio.Sector).Value;
        ulong begin = (from + BlockSize - 1) / BlockSize;
        ulong end = (from + bio.Count.Value) / BlockSize;
        if (begin >= end || _mode >= PoolMode.OutOfMetadataSpace)
        {
            bio.End(BioStatus.Ok);
            return;
        }

        Change(() =>
        {
            List<(ulong Block, ThinMetadata.Mapping Mapping)> mapped;
            try
            {
                mapped = _metadata.Mapped(target.Volume, begin, end);
            }
            catch (DmException e)
            {
                Owner.Logger.PoolFailed(Owner.Name, e.Message);
                EndLater(bio, BioStatus.IoError);
                return;
            }

            if (mapped.Count == 0)
            {
                EndLater(bio, BioStatus.Ok);
                return;
            }

            if (mapped.Exists(m => _cells.TryWait(target.Volume.Id, m.Block, bio)))
            {
                return; // one of them is on its way already: handled again after that
            }

            mapped.ForEach(m => _cells.Lock(target.Volume.Id, m.Block));
            BeginJob();
            _grace.Request(() => Unmap(target, bio, mapped));
        });
    }

    /// <summary>Nobody uses the blocks now: they lose their mappings.</summary>
    private void Unmap(ThinTarget target, Bio bio, List<(ulong Block, ThinMetadata.Mapping Mapping)> mapped)
    {
        List<ulong> freed = [];
        Change(() =>
        {
            BioStatus status = TryUnmap(target, mapped, freed);
            mapped.ForEach(m => Requeue(_cells.Unlock(target.Volume.Id, m.Block)));
            EndJob();
            if (status != BioStatus.Ok || freed.Count == 0)
            {
                EndLater(bio, status);
            }
            else
            {
                _beingDiscarded.UnionWith(freed);
                _afterCommit.Add(durable => PassDown(bio, freed, durable));
            }

            if (_mode == PoolMode.OutOfDataSpace)
            {
                Commit(); // there is room again: those that wait for it need not wait longer
            }
        });
    }

    private BioStatus TryUnmap(ThinTarget target, List<(ulong Block, ThinMetadata.Mapping Mapping)> mapped, List<ulong> freed)
    {
        if (_mode >= PoolMode.OutOfMetadataSpace)
        {
            return BioStatus.Ok; // nothing is changed any more, and a discard is only a hint
        }

        try
        {
            foreach ((ulong block, ThinMetadata.Mapping mapping) in mapped)
            {
                _metadata.Unmap(target.Volume, block);
                if (Features.DiscardPassdown && _metadata.CountOfData(mapping.Block) == 0)
                {
                    freed.Add(mapping.Block);
                }
            }

            _metadata.LimitMemory();
            return BioStatus.Ok;
        }
        catch (DmException e)
        {
            OperationFailed(e);
            freed.Clear();
            return BioStatus.IoError;
        }
    }

    /// <summary>Discards free data blocks on the data device, a run of them at a time.</summary>
    private void PassDown(Bio bio, List<ulong> blocks, bool durable)
    {
        if (!durable)
        {
            Forget(blocks);
            Change(FailedToUncount);
            bio.End(BioStatus.IoError);
            return;
        }

        blocks.Sort();
        new PassedDiscard(_data, BlockSize, blocks, status =>
        {
            // An error of the data device's discard changes nothing: the blocks are free.
            Post(() => Forget(blocks));
            bio.End(BioStatus.Ok);
        }).Start();
    }

    /// <summary>
    /// Changes were lost while blocks were to be discarded. The kernel counts them once more for that time, cannot take it back in a pool that is read-only by
    /// then, and gives up: what could not be written of the mark needs_check is lost with it.
    /// </summary>
    private void FailedToUncount()
    {
        _metadata.SaveNeedsCheck();
        _metadata.ForgetNeedsCheck();
        SetMode(PoolMode.Fail);
    }

    private void Forget(List<ulong> blocks) => Change(() =>
    {
        _beingDiscarded.ExceptWith(blocks);
        if (_mode == PoolMode.OutOfDataSpace)
        {
            Commit(); // a write may have found no other blocks free than these
        }
    });
}
