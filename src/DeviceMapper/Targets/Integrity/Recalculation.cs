using DeviceMapper.Io;

namespace DeviceMapper.Targets.Integrity;

/// <summary>
/// Makes the tags of what is on the device, piece by piece while no bio waits (the kernel's <c>integrity_recalc</c>). How far it came is in the
/// superblock. Used by the target's thread alone, which does all bios too while it is under way.
/// </summary>
internal sealed class Recalculation(IntegrityDevice device, DirtyBitmap? bitmap)
{
    private const ulong PieceSectors = 512;
    private const int PiecesForSuperblock = 1024; // pieces after which it is written

    private int _pieces;
    private volatile bool _isUnderWay;

    /// <summary>Whether there is more to do. For any thread.</summary>
    public bool IsUnderWay => _isUnderWay;

    /// <summary>Goes on from what the superblock says; at a resume.</summary>
    public void Begin()
    {
        IntegritySuperblock superblock = device.Superblock;
        if (!superblock.Has(IntegrityFlags.Recalculating))
        {
            return;
        }

        if (superblock.RecalculatedSectors > superblock.ProvidedSectors)
        {
            superblock.RecalculatedSectors = superblock.ProvidedSectors;
            Save();
        }

        _isUnderWay = superblock.RecalculatedSectors < superblock.ProvidedSectors;
    }

    /// <summary>Stops, and says in the superblock how far it came; at a suspend.</summary>
    public void End()
    {
        if (IsUnderWay)
        {
            _isUnderWay = false;
            Save();
        }
    }

    /// <summary>Whether the tags of a run of sectors are not all there yet.</summary>
    public bool IsPending(ulong sector, ulong count) =>
        device.Superblock.Has(IntegrityFlags.Recalculating) && sector + count > device.Superblock.RecalculatedSectors;

    /// <summary>Does one piece.</summary>
    public void Step()
    {
        IntegritySuperblock superblock = device.Superblock;
        ulong sector = superblock.RecalculatedSectors;
        ulong count = Math.Min(PieceSectors, superblock.ProvidedSectors - sector);
        if (superblock.Interleave != 0)
        {
            count = Math.Min(count, superblock.Interleave - (sector & (superblock.Interleave - 1)));
        }

        bool doubtful = bitmap?.NextRun(sector, ref count) ?? true;
        if (doubtful)
        {
            if (++_pieces % PiecesForSuperblock == 0)
            {
                Save();
            }

            device.FailUnlessOk("recalculating tags", MakeTags(sector, count));
            if (device.Failure != BioStatus.Ok)
            {
                _isUnderWay = false;
                return;
            }

            bitmap?.SetRecalculated(sector, count);
        }

        superblock.RecalculatedSectors = sector + count;
        if (superblock.RecalculatedSectors == superblock.ProvidedSectors)
        {
            Save();
            bitmap?.SetAllRecalculated();
            bitmap?.Clear();
            _isUnderWay = false; // from now on, bios come past this thread
        }
    }

    private BioStatus MakeTags(ulong sector, ulong count)
    {
        using BufferScope data = new((int)(count << Sector.Shift));
        BioStatus status = device.ReadData(sector, data.Buffer);
        if (status != BioStatus.Ok)
        {
            return status;
        }

        if (device.TupleSize != 0)
        {
            return device.WriteWithTuples(sector, data.Buffer);
        }

        int size = device.Superblock.TagSize;
        using BufferScope tags = new(data.Span.Length / device.BlockSize * size);
        device.MakeTags(sector, data.Buffer, tags.Span, size);
        return device.WriteTags(sector, tags.Span);
    }

    private void Save()
    {
        device.Flush();
        if (device.Failure == BioStatus.Ok)
        {
            device.FailUnlessOk("writing the superblock", device.WriteSuperblock());
        }
    }
}
