using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Thin;

/// <content>Fills new blocks, and maps them.</content>
internal sealed partial class ThinPool
{
    /// <summary>Starts a copy or zeroing; no lock is held.</summary>
    public void StartCopy(Provisioning provisioning) => _copier.Start(provisioning);

    /// <summary>A new block has its data, and nobody reads what was there before.</summary>
    public void Provisioned(Provisioning provisioning) => Post(() => Finish(provisioning));

    /// <summary>Fills a new block: with the former data where it was shared, an external origin's, or zeroes; or the write does it. Under the lock.</summary>
    private void Provision(Provisioning provisioning, ulong? shared)
    {
        ThinTarget target = provisioning.Target;
        Bio bio = provisioning.Bio;
        Sector to = new(provisioning.DataBlock * BlockSize);
        ulong virtualStart = provisioning.Block * BlockSize;
        ulong originSize = target.Origin?.Size.Value ?? 0;
        bool fromOrigin = shared is null && virtualStart < originSize;
        if (bio.Count.Value == BlockSize && (shared is not null || fromOrigin || Features.ZeroNewBlocks))
        {
            provisioning.IsWhole = true;
            bio.Context = provisioning;
            Remap(target, bio, provisioning.DataBlock);
            SendLater(bio);
        }
        else if (shared is { } former)
        {
            provisioning.SetCopy(_data, new Sector(former * BlockSize), _data, to, BlockSize);
            Later(() => StartCopy(provisioning));
        }
        else if (fromOrigin)
        {
            ulong length = Math.Min(BlockSize, originSize - virtualStart);
            provisioning.SetCopy(target.Origin, new Sector(virtualStart), _data, to, length);
            provisioning.Tail = Features.ZeroNewBlocks ? BlockSize - length : 0;
            Later(() => StartCopy(provisioning));
        }
        else if (Features.ZeroNewBlocks)
        {
            provisioning.SetCopy(null, default, _data, to, BlockSize);
            Later(() => StartCopy(provisioning));
        }
        else
        {
            provisioning.NothingToWrite();
        }
    }

    /// <summary>Maps a block that is filled; the bios that waited for it go on (the kernel's <c>process_prepared_mapping</c>).</summary>
    private void Finish(Provisioning provisioning)
    {
        ThinTarget target = provisioning.Target;
        Bio bio = provisioning.Bio;
        Change(() =>
        {
            bool mapped = false;
            if (!provisioning.Failed && _mode < PoolMode.OutOfMetadataSpace)
            {
                mapped = TryInsert(target, provisioning); // else the data block is lost until the metadata are repaired, as in the kernel
            }

            bio.Context = null;
            Bio? waiting = _cells.Unlock(target.Volume.Id, provisioning.Block);
            EndJob();
            if (!mapped)
            {
                EndLater(bio, BioStatus.IoError);
                EndAllLater(waiting, BioStatus.IoError);
                return;
            }

            if (!provisioning.IsWhole)
            {
                SendMapped(target, bio, provisioning.DataBlock);
            }
            else if ((bio.Flags & BioFlags.Fua) != 0)
            {
                _afterCommit.Add(durable => bio.End(durable ? BioStatus.Ok : BioStatus.IoError));
            }
            else
            {
                EndLater(bio, BioStatus.Ok);
            }

            Requeue(waiting);
        });
    }

    private bool TryInsert(ThinTarget target, Provisioning provisioning)
    {
        try
        {
            _metadata.Map(target.Volume, provisioning.Block, provisioning.DataBlock);
            _metadata.LimitMemory();
            return true;
        }
        catch (DmException e)
        {
            OperationFailed(e);
            return false;
        }
    }

    private void EndAllLater(Bio? bio, BioStatus status)
    {
        while (bio is not null)
        {
            Bio? next = bio.Next;
            bio.Next = null;
            EndLater(bio, status);
            bio = next;
        }
    }
}
