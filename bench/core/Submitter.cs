using DeviceMapper.Io;

namespace Core;

/// <summary>Submits 4 KiB reads one after the other, as a front end does, and gives each back when it has ended.</summary>
internal sealed class Submitter(BlockDevice device) : IBioCompletion
{
    private readonly BioBuffer _buffer = new(BufferPool.Rent(4096).Address, 4096);

    /// <summary>One bio, from a sector on.</summary>
    public void Submit(ulong sector, ulong count = 8)
    {
        Bio bio = Bio.Rent();
        bio.Operation = BioOperation.Read;
        bio.Device = device;
        bio.Sector = new Sector(sector);
        bio.Count = new SectorCount(count);
        bio.Buffer = _buffer.Slice(0, (int)(count * Sector.Size));
        bio.Submit(this);
    }

    /// <inheritdoc/>
    public void BioEnded(Bio bio) => bio.Return();
}
