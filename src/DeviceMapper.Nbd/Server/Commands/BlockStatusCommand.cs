using System.Buffers.Binary;
using DeviceMapper.Io;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server.Commands;

/// <summary>
/// BLOCK_STATUS: where the holes are (<c>base:allocation</c>), and which target serves which range (<c>dm:targets</c>: the place of the
/// target in the table, from 0). Found out at once: nothing is read.
/// </summary>
internal sealed unsafe class BlockStatusCommand(Transmission connection) : Command(connection)
{
    private const int MaxExtents = 1024;
    private const int MaxLooks = 16 * MaxExtents; // small holes of one kind side by side are one extent
    private const uint Hole = 1, Zero = 2; // NBD_STATE_HOLE, NBD_STATE_ZERO
    private const int ExtentLength = 8;
    private const int HeaderLength = NbdTransmission.ChunkHeaderLength + sizeof(uint);

    public void Start(in NbdRequest request)
    {
        MetaContexts contexts = Connection.Export.Contexts;
        int extents = (request.Flags & NbdCommandFlags.ReqOne) != 0 ? 1 : MaxExtents;
        int chunkLength = HeaderLength + extents * ExtentLength;
        Connection.Begin(this, request.Cookie, 2 * chunkLength);
        byte* chunk = Reply;
        if ((contexts & MetaContexts.Allocation) != 0)
        {
            bool last = contexts == MetaContexts.Allocation;
            chunk += Write(chunk, MetaContexts.Allocation, last, request, extents);
        }

        if ((contexts & MetaContexts.Targets) != 0)
        {
            chunk += Write(chunk, MetaContexts.Targets, true, request, extents);
        }

        ReplyLength = (int)(chunk - Reply);
        Connection.Replies.Post(this);
    }

    /// <inheritdoc/>
    public override void BioEnded(Bio bio) => throw new InvalidOperationException("a block status has no bios");

    /// <inheritdoc/>
    public override void Recycle() => Connection.BlockStatuses.Return(this);

    private int Write(byte* chunk, MetaContexts context, bool last, in NbdRequest request, int maxExtents)
    {
        Span<byte> extents = new(chunk + HeaderLength, maxExtents * ExtentLength);
        int count = 0;
        uint extentLength = 0, extentStatus = 0;
        Sector at = Sector.FromBytes(request.Offset);
        SectorCount left = SectorCount.FromBytes(request.Length);
        for (int looks = 0; left != SectorCount.Zero && looks < MaxLooks; looks++)
        {
            (SectorCount length, uint status) = Look(context, at, left);
            at += length;
            left -= length;
            if (extentLength > 0 && status != extentStatus)
            {
                Add(extents, count++, extentLength, extentStatus);
                extentLength = 0;
                if (count == maxExtents)
                {
                    break;
                }
            }

            extentLength += (uint)length.Bytes;
            extentStatus = status;
        }

        if (extentLength > 0)
        {
            Add(extents, count++, extentLength, extentStatus);
        }

        int body = sizeof(uint) + count * ExtentLength;
        NbdReply.Chunk(chunk, Cookie, last ? NbdChunkFlags.Done : NbdChunkFlags.None, NbdChunk.BlockStatus, body);
        BinaryPrimitives.WriteUInt32BigEndian(new Span<byte>(chunk + NbdTransmission.ChunkHeaderLength, sizeof(uint)), (uint)context);
        return NbdTransmission.ChunkHeaderLength + body;
    }

    private (SectorCount Length, uint Status) Look(MetaContexts context, Sector at, SectorCount length)
    {
        if (context == MetaContexts.Allocation)
        {
            (SectorCount known, bool hole) = Connection.Device.ExtentAt(at, length);
            return (known, hole ? Hole | Zero : 0);
        }

        (SectorCount mapped, int target) = Connection.Device.TargetAt(at);
        return (SectorCount.Min(mapped, length), (uint)target);
    }

    private static void Add(Span<byte> extents, int index, uint length, uint status)
    {
        BinaryPrimitives.WriteUInt32BigEndian(extents[(index * ExtentLength)..], length);
        BinaryPrimitives.WriteUInt32BigEndian(extents[(index * ExtentLength + sizeof(uint))..], status);
    }
}
