using DeviceMapper.Io;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server.Commands;

/// <summary>FLUSH: all writes that were answered before, on any connection, are durable.</summary>
internal sealed class FlushCommand(Transmission connection) : Command(connection)
{
    public void Start(in NbdRequest request)
    {
        Connection.Begin(this, request.Cookie, NbdTransmission.SimpleReplyLength);
        Bio bio = Bio.Rent();
        bio.Operation = BioOperation.Flush;
        bio.Sector = default;
        bio.Count = default;
        bio.Buffer = default;
        bio.Device = Connection.Device;
        bio.Submit(this);
    }

    /// <inheritdoc/>
    public override void BioEnded(Bio bio)
    {
        NbdError error = bio.Status.ToNbd();
        bio.Return();
        FinishSimply(error);
    }

    /// <inheritdoc/>
    public override void Recycle() => Connection.Flushes.Return(this);
}
