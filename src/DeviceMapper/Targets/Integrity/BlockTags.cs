using DeviceMapper.Io;

namespace DeviceMapper.Targets.Integrity;

/// <summary>
/// What a read or write has to do with tags once its data is at its place: to check, make, fetch or keep them. Whoever calls has the sectors to himself.
/// </summary>
internal sealed class BlockTags(IntegrityDevice device, IntegrityState state)
{
    private const byte DiscardFiller = IntegrityIo.DiscardFiller;

    private int TagSize => device.Superblock.TagSize;

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

        int blocks = data.Length / device.BlockSize;
        using BufferScope tags = new(blocks * TagSize);
        if (!device.TryReadTags(sector, tags.Span, mayWait, out status) || status != BioStatus.Ok)
        {
            return status != BioStatus.Ok;
        }

        for (int i = 0; i < blocks; i++)
        {
            BioBuffer block = data.Slice(i * device.BlockSize, device.BlockSize);
            ulong at = sector + ((ulong)i << device.Superblock.Log2Block);
            ReadOnlySpan<byte> tag = tags.Span.Slice(i * TagSize, TagSize);
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

        int blocks = data.Length / device.BlockSize;
        using BufferScope tags = new(blocks * TagSize);
        for (int i = 0; i < blocks; i++)
        {
            MakeTag(sector + ((ulong)i << device.Superblock.Log2Block), data.Slice(i * device.BlockSize, device.BlockSize), tags.Span.Slice(i * TagSize, TagSize));
        }

        return device.TryWriteTags(sector, tags.Span, mayWait, out status);
    }

    private bool Checks(ulong sector, ulong count) => device.Options.InternalHash is not null && device.Options.Mode != 'R'
        && !state.Recalculation.IsPending(sector, count) && state.Bitmap?.IsDoubtful(sector, count) != true;

    private bool IsTagOf(ulong sector, BioBuffer block, ReadOnlySpan<byte> tag)
    {
        Span<byte> expected = stackalloc byte[TagSize];
        MakeTag(sector, block, expected);
        return tag.SequenceEqual(expected) || (device.Options.AllowDiscards && !tag.ContainsAnyExcept(DiscardFiller));
    }

    private void MakeTag(ulong sector, BioBuffer block, Span<byte> tag)
    {
        if (block.IsContiguous)
        {
            device.MakeTag(sector, block.Span, tag);
            return;
        }

        using BufferScope joined = new(block.Length);
        block.CopyTo(joined.Span);
        device.MakeTag(sector, joined.Span, tag);
    }

    /// <summary>Reads a block whose tag is wrong into memory that nobody else has: who submitted the read may have written to his (<c>integrity_recheck</c>).</summary>
    private BioStatus ReadAgain(ulong sector, BioBuffer block, ReadOnlySpan<byte> tag)
    {
        using BufferScope own = new(block.Length);
        BioStatus status = device.ReadData(sector, own.Buffer);
        if (status != BioStatus.Ok)
        {
            return status;
        }

        if (!IsTagOf(sector, own.Buffer, tag))
        {
            device.CountMismatch(sector);
            return BioStatus.Protection;
        }

        block.CopyFrom(own.Span);
        return BioStatus.Ok;
    }
}
