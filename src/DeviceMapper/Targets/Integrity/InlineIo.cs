using DeviceMapper.Io;

namespace DeviceMapper.Targets.Integrity;

/// <summary>
/// Reads and writes that go straight to the data's device on the thread that submits them, and have their tags checked or made on the thread that sees
/// their end. All that might have to wait is left to the target's thread.
/// </summary>
internal sealed class InlineIo(IntegrityDevice device, IntegrityState state, RangeLocks ranges)
{
    private readonly BlockTags _tags = new(device, state);
    private readonly bool _isOn = device.Options.Mode != 'J';

    /// <summary>Sends a bio on its way, and takes its sectors, if nothing speaks against it.</summary>
    /// <param name="bio">Whose sector counts from the target's start.</param>
    public bool TryBegin(Bio bio)
    {
        ulong sector = bio.Sector.Value;
        ulong count = bio.Count.Value;
        if (!_isOn || !bio.HasData || (bio.IsWrite && device.TupleSize == 0 && (bio.Flags & BioFlags.Fua) != 0) || state.Recalculation.IsUnderWay || device.Failure != BioStatus.Ok
            || !ranges.TryTake(sector, count))
        {
            return false;
        }

        if (bio.IsWrite && state.Bitmap?.IsWritable(sector, count) == false)
        {
            ranges.Release(sector);
            return false;
        }

        bio.ContextValue = sector;
        if (device.TupleSize != 0)
        {
            bio.Tags = TuplesOf(bio);
            bio.TagsOffset = 0;
        }

        device.Remap(bio);
        return true;
    }

    /// <summary>Does what is left to do of a bio whose data has been read or written.</summary>
    /// <param name="bio">As <see cref="TryBegin"/> left it.</param>
    /// <param name="mayWait">The target's thread calls.</param>
    /// <param name="status">How the bio ended; then, how it ends.</param>
    /// <returns>Whether it has ended; if not, the target's thread has to go on. The sectors are still taken.</returns>
    public bool TryEnd(Bio bio, bool mayWait, ref BioStatus status)
    {
        if (bio.Tags is { } tuples)
        {
            return TryEndWithTuples(bio, tuples, mayWait, ref status);
        }

        if (status != BioStatus.Ok)
        {
            return true;
        }

        Span<byte> external = IntegrityDevice.TagsOf(bio);
        bool ended = bio.IsWrite
            ? _tags.TryEndWrite(bio.ContextValue, bio.Buffer, external, mayWait, out BioStatus end)
            : _tags.TryEndRead(bio.ContextValue, bio.Buffer, external, mayWait, out end);
        status = end;
        return ended;
    }

    /// <summary>Mode I: what goes down with a write, or what a read brings.</summary>
    private BioTags TuplesOf(Bio bio)
    {
        BioTags tuples = device.RentTuples(bio.Buffer.Length);
        if (bio.IsWrite)
        {
            device.MakeTags(bio.ContextValue, bio.Buffer, tuples.Memory.Span, device.TupleSize);
        }

        return tuples;
    }

    private bool TryEndWithTuples(Bio bio, BioTags tuples, bool mayWait, ref BioStatus status)
    {
        if (status == BioStatus.Ok && !bio.IsWrite && !_tags.TryCheck(bio.ContextValue, bio.Buffer, tuples.Memory.Span, device.TupleSize, mayWait, out status))
        {
            return false;
        }

        tuples.Return();
        return true;
    }
}
