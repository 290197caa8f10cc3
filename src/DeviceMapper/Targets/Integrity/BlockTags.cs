using DeviceMapper.Io;

namespace DeviceMapper.Targets.Integrity;

/// <summary>
/// What a read or write has to do with tags once its data is at its place: to check, make, fetch or keep them. Whoever calls has the sectors to himself.
/// </summary>
internal sealed class BlockTags(IntegrityDevice device, IntegrityState state)
{
    private int TagSize => device.Superblock.TagSize;

    // In mode I, what stands behind a short digest is not looked at.
    private int ComparedSize => device.TupleSize == 0 ? TagSize : Math.Min(TagSize, device.Options.InternalHash!.Size);

    /// <summary>Ends a read whose data is there.</summary>
    /// <param name="sector">Of the first block, from the target's start.</param>
    /// <param name="data">The blocks.</param>
    /// <param name="external">For their tags, where they go up; else empty.</param>
    /// <param name="mayWait">The target's thread calls: tags may be read from the device, and data again.</param>
    /// <param name="status">How it ends.</param>
    /// <returns>Whether it has ended; if not, it has to be done by who may wait.</returns>
    public bool TryEndRead(ulong sector, BioBuffer data, Span<byte> external, bool mayWait, out BioStatus status)
    {
        if (!external.IsEmpty)
        {
            return device.TryReadTags(sector, external, mayWait, out status);
        }

        status = BioStatus.Ok;
        if (!Checks(sector, (ulong)data.Length >> Sector.Shift))
        {
            return true;
        }

        using BufferScope tags = new(data.Length / device.BlockSize * TagSize);
        if (!device.TryReadTags(sector, tags.Span, mayWait, out status) || status != BioStatus.Ok)
        {
            return status != BioStatus.Ok;
        }

        return TryCheck(sector, data, tags.Span, TagSize, mayWait, out status);
    }

    /// <summary>Checks blocks that were read.</summary>
    /// <param name="sector">Of the first block, from the target's start.</param>
    /// <param name="data">The blocks.</param>
    /// <param name="tags">Their tags.</param>
    /// <param name="stride">Bytes from one tag to the next.</param>
    /// <param name="mayWait">The target's thread calls: blocks may be read again.</param>
    /// <param name="status">Whether they are right.</param>
    /// <returns>Whether that is known; if not, it has to be done by who may wait.</returns>
    public bool TryCheck(ulong sector, BioBuffer data, ReadOnlySpan<byte> tags, int stride, bool mayWait, out BioStatus status)
    {
        status = BioStatus.Ok;
        int blocks = Checks(sector, (ulong)data.Length >> Sector.Shift) ? data.Length / device.BlockSize : 0;
        for (int i = 0; i < blocks; i++)
        {
            BioBuffer block = data.Slice(i * device.BlockSize, device.BlockSize);
            ulong at = sector + ((ulong)i << device.Superblock.Log2Block);
            ReadOnlySpan<byte> tag = tags.Slice(i * stride, TagSize);
            if (IsTagOf(at, block, tag))
            {
                continue;
            }

            if (!mayWait)
            {
                return false;
            }

            status = ReadAgain(at, block, tag);
            if (status != BioStatus.Ok)
            {
                return true;
            }
        }

        return true;
    }

    /// <summary>Ends a write whose data has been written.</summary>
    /// <param name="sector">Of the first block, from the target's start.</param>
    /// <param name="data">The blocks, whose memory does not change before the write ends.</param>
    /// <param name="external">Their tags, where they come from above; else empty.</param>
    /// <param name="mayWait">The target's thread calls: blocks of tags may be read from the device.</param>
    /// <param name="status">How it ends.</param>
    /// <returns>Whether it has ended; if not, it has to be done by who may wait.</returns>
    public bool TryEndWrite(ulong sector, BioBuffer data, ReadOnlySpan<byte> external, bool mayWait, out BioStatus status)
    {
        if (!external.IsEmpty)
        {
            return device.TryWriteTags(sector, external, mayWait, out status);
        }

        status = BioStatus.Ok;
        if (device.Options.InternalHash is null)
        {
            return true;
        }

        using BufferScope tags = new(data.Length / device.BlockSize * TagSize);
        device.MakeTags(sector, data, tags.Span, TagSize);
        return device.TryWriteTags(sector, tags.Span, mayWait, out status);
    }

    private bool Checks(ulong sector, ulong count) => device.Options.InternalHash is not null && device.Options.Mode != 'R'
        && !state.Recalculation.IsPending(sector, count) && state.Bitmap?.IsDoubtful(sector, count) != true;

    private bool IsTagOf(ulong sector, BioBuffer block, ReadOnlySpan<byte> tag)
    {
        Span<byte> expected = stackalloc byte[TagSize];
        device.MakeTags(sector, block, expected, TagSize);
        if (tag[..ComparedSize].SequenceEqual(expected[..ComparedSize]))
        {
            return true;
        }

        if (!device.Options.AllowDiscards)
        {
            return false;
        }

        device.MakeDiscardTag(sector, expected);
        return tag.SequenceEqual(expected);
    }

    /// <summary>Reads a block whose tag is wrong into memory that nobody else has: who submitted the read may have written to his (<c>integrity_recheck</c>).</summary>
    private BioStatus ReadAgain(ulong sector, BioBuffer block, ReadOnlySpan<byte> tag)
    {
        using BufferScope own = new(block.Length);
        BioTags? tuple = device.TupleSize == 0 ? null : device.RentTuples(block.Length);
        try
        {
            BioStatus status = device.ReadData(sector, own.Buffer, tuple);
            if (status != BioStatus.Ok)
            {
                return status;
            }

            if (!IsTagOf(sector, own.Buffer, tuple is null ? tag : tuple.Memory.Span[..TagSize]))
            {
                device.CountMismatch(sector);
                return BioStatus.Protection;
            }

            block.CopyFrom(own.Span);
            return BioStatus.Ok;
        }
        finally
        {
            tuple?.Return();
        }
    }
}
