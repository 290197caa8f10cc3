using DeviceMapper.Backends;
using DeviceMapper.Io;

namespace DeviceMapper.Mapping.Checking;

/// <summary>Reads from a device, and keeps what is written to it in memory.</summary>
/// <param name="device">The device, open for reading; closed with this.</param>
/// <param name="written">What was written to it.</param>
internal sealed class UntouchedBackend(Backend device, WrittenSectors written) : Backend
{
    private static readonly SectorCount _mostZeroes = new(2048); // in one bio: each takes an entry

    /// <inheritdoc/>
    public override SectorCount Size => device.Size;

    /// <inheritdoc/>
    public override QueueLimits Limits => device.Limits with { MaxWriteZeroes = SectorCount.Min(_mostZeroes, device.Limits.MaxWriteZeroes) };

    /// <inheritdoc/>
    public override void Dispose() => device.Dispose();

    /// <inheritdoc/>
    protected internal override void Process(Bio bio)
    {
        switch (bio.Operation)
        {
            case BioOperation.Read when written.IsEmpty:
                bio.Device = device;
                device.Process(bio);
                break;
            case BioOperation.Read:
                Bio read = Bio.Rent();
                (read.Operation, read.Device, read.Sector, read.Count, read.Buffer) = (BioOperation.Read, device, bio.Sector, bio.Count, bio.Buffer);
                read.Submit(new Patch(bio, written));
                break;
            case BioOperation.Write:
                written.Keep(bio.Sector, bio.Buffer);
                bio.End(BioStatus.Ok);
                break;
            case BioOperation.WriteZeroes:
                written.KeepZeroes(bio.Sector, bio.Count);
                bio.End(BioStatus.Ok);
                break;
            default:
                bio.End(BioStatus.Ok); // flushes have nothing to do, and discards leave what was there
                break;
        }
    }

    private sealed class Patch(Bio bio, WrittenSectors written) : IBioCompletion
    {
        public void BioEnded(Bio read)
        {
            BioStatus status = read.Status;
            read.Return();
            written.CopyOver(bio.Sector, bio.Buffer);
            bio.End(status);
        }
    }
}
