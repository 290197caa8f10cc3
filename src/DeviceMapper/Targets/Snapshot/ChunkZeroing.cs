using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Snapshots;

/// <summary>A discard that zeroes the sectors to which it has been mapped.</summary>
internal sealed class ChunkZeroing : CopyJob
{
    private readonly Bio _bio;

    public ChunkZeroing(Bio bio)
    {
        _bio = bio;
        Destination = bio.Device;
        DestinationSector = bio.Sector;
        CopyLength = bio.Count;
    }

    public void Start(Copier copier) => copier.Start(this);

    protected override void CopyEnded(BioStatus read, BioStatus write) => _bio.End(write);
}
