using DeviceMapper.Io;

namespace DeviceMapper.Targets.Integrity;

/// <summary>Reads, writes, discards and flushes of an integrity device that may have to wait, in each mode. Used by the target's thread alone, which has their sectors taken.</summary>
internal sealed class IntegrityIo(IntegrityDevice device, IntegrityState state)
{
    private readonly BlockTags _tags = new(device, state);
    private bool _hasSetBits;

    private char Mode => device.Options.Mode;

    private int TagSize => device.Superblock.TagSize;

    private int Log2Block => device.Superblock.Log2Block;

    /// <summary>Whether bits were set since this was asked last.</summary>
    public bool TakeHasSetBits()
    {
        bool has = _hasSetBits;
        _hasSetBits = false;
        return has;
    }

    /// <summary>Does a bio, whose sector counts from the target's start.</summary>
    public BioStatus Do(Bio bio)
    {
        if (device.Failure != BioStatus.Ok)
        {
            return device.Failure;
        }

        BioStatus status = bio.Operation switch
        {
            BioOperation.Read => Read(bio),
            BioOperation.Write => Write(bio),
            BioOperation.Discard => Discard(bio.Sector.Value, bio.Count.Value),
            BioOperation.Flush => BioStatus.Ok,
            _ => BioStatus.Unsupported,
        };
        if (status == BioStatus.Ok && (bio.Operation == BioOperation.Flush || (bio.Flags & BioFlags.Fua) != 0))
        {
            Flush();
        }

        return status;
    }

    private BioStatus Read(Bio bio)
    {
        ulong sector = bio.Sector.Value;
        BioBuffer data = bio.Buffer;
        Span<byte> tags = IntegrityDevice.TagsOf(bio);
        int blocks = data.Length / device.BlockSize;
        if (Mode != 'J' || state.Journal.IsEmpty)
        {
            return ReadPlace(sector, data, tags);
        }

        // Runs of blocks that the journal has, and that it does not have, by turns.
        for (int first = 0; first < blocks;)
        {
            int count = 0;
            while (first + count < blocks && !state.Journal.Has(SectorOf(sector, first + count)))
            {
                count++;
            }

            if (count > 0)
            {
                BioStatus status = ReadPlace(SectorOf(sector, first), Blocks(data, first, count), TagsOf(tags, first, count));
                if (status != BioStatus.Ok)
                {
                    return status;
                }
            }

            first += count;
            while (first < blocks && state.Journal.TryGet(SectorOf(sector, first), Blocks(data, first, 1), TagsOf(tags, first, 1)))
            {
                first++;
            }
        }

        return BioStatus.Ok;
    }

    private BioStatus ReadPlace(ulong sector, BioBuffer data, Span<byte> external)
    {
        if (Mode == 'I')
        {
            return ReadWithTuples(sector, data);
        }

        BioStatus status = device.ReadData(sector, data);
        if (status == BioStatus.Ok)
        {
            _tags.TryEndRead(sector, data, external, mayWait: true, out status);
        }

        return status;
    }

    private BioStatus Write(Bio bio)
    {
        if (Mode != 'J')
        {
            return WritePlace(bio.Sector.Value, bio.Buffer, IntegrityDevice.TagsOf(bio));
        }

        ReadOnlySpan<byte> tags = IntegrityDevice.TagsOf(bio);

        int blocks = bio.Buffer.Length / device.BlockSize;
        for (int done = 0; done < blocks && device.Failure == BioStatus.Ok;)
        {
            int count = blocks - done;
            done += state.Journal.Add(SectorOf(bio.Sector.Value, done), Blocks(bio.Buffer, done, count), TagsOf(tags, done, count));
            if (done < blocks)
            {
                state.Journal.Commit();
                state.Journal.WriteBack();
            }
        }

        return device.Failure;
    }

    private BioStatus ReadWithTuples(ulong sector, BioBuffer data)
    {
        BioTags tuples = device.RentTuples(data.Length);
        BioStatus status = device.ReadData(sector, data, tuples);
        if (status == BioStatus.Ok)
        {
            _tags.TryCheck(sector, data, tuples.Memory.Span, device.TupleSize, mayWait: true, out status);
        }

        tuples.Return();
        return status;
    }

    private BioStatus WritePlace(ulong sector, BioBuffer data, ReadOnlySpan<byte> external)
    {
        if (Mode == 'I')
        {
            return device.WriteWithTuples(sector, data);
        }

        _hasSetBits |= state.Bitmap?.Prepare(sector, (ulong)data.Length >> Sector.Shift) == true;
        BioStatus status = device.WriteData(sector, data);
        if (status == BioStatus.Ok)
        {
            _tags.TryEndWrite(sector, data, external, mayWait: true, out status);
        }

        return status;
    }

    private BioStatus Discard(ulong sector, ulong count)
    {
        if (Mode == 'J' && !state.Journal.IsEmpty)
        {
            state.Journal.Commit();
            state.Journal.WriteBack();
        }

        ulong interleave = device.Superblock.Interleave;
        using BufferScope tags = new(BufferPool.MaxLength / 4);
        while (count > 0)
        {
            // Up to the next run of tags.
            ulong part = Math.Min(count, (ulong)(tags.Span.Length / TagSize) << Log2Block);
            part = interleave == 0 ? part : Math.Min(part, interleave - (sector & (interleave - 1)));
            _hasSetBits |= state.Bitmap?.Prepare(sector, part) == true;
            int blocks = (int)(part >> Log2Block);
            for (int i = 0; i < blocks; i++)
            {
                device.MakeDiscardTag(SectorOf(sector, i), tags.Span.Slice(i * TagSize, TagSize));
            }

            BioStatus status = device.WriteTags(sector, tags.Span[..(blocks * TagSize)]);
            if (status == BioStatus.Ok && Mode != 'D')
            {
                device.Flush();
                status = device.Failure;
            }

            if (status == BioStatus.Ok)
            {
                status = device.DiscardData(sector, new SectorCount(part));
            }

            if (status != BioStatus.Ok)
            {
                return status;
            }

            sector += part;
            count -= part;
        }

        return BioStatus.Ok;
    }

    private void Flush()
    {
        if (Mode == 'J')
        {
            state.Journal.Commit();
        }
        else
        {
            device.Flush();
        }
    }

    private Span<byte> TagsOf(Span<byte> tags, int first, int count) => tags.IsEmpty ? default : tags.Slice(first * TagSize, count * TagSize);

    private ReadOnlySpan<byte> TagsOf(ReadOnlySpan<byte> tags, int first, int count) => tags.IsEmpty ? default : tags.Slice(first * TagSize, count * TagSize);

    private ulong SectorOf(ulong first, int block) => first + ((ulong)block << Log2Block);

    private BioBuffer Blocks(BioBuffer data, int first, int count) => data.Slice(first * device.BlockSize, count * device.BlockSize);
}
