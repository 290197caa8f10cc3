using DeviceMapper.Fuse.Protocol;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Operations;

/// <summary>READ: one bio, of all blocks that the range touches; short at the device's end, and empty behind it.</summary>
internal sealed class ReadOperation : IBioCompletion
{
    private FuseServer? _server;
    private ulong _unique;
    private IoBuffer _buffer;
    private int _skip; // bytes of the first block that were not asked for
    private int _length;

    public static void Handle(FuseServer server, in FuseRequest request)
    {
        if (!request.TryRead(out FuseDataIn read) || read.Size > IoBuffers.MaxRequest)
        {
            server.Connection.Refuse(request.Unique, Errno.EINVAL);
            return;
        }

        if (server.Directory.FindByNode(request.Header.NodeId) is not { } file)
        {
            server.Connection.Refuse(request.Unique, Errno.ESTALE);
            return;
        }

        ulong size = file.Size;
        int length = read.Offset >= size ? 0 : (int)Math.Min(read.Size, size - read.Offset);
        if (length == 0)
        {
            server.Connection.Reply(request.Unique);
            return;
        }

        if (BlockRange.IsRefused(read, file.BlockSize))
        {
            server.Connection.Refuse(request.Unique, Errno.EINVAL);
            return;
        }

        BlockRange blocks = BlockRange.Covering(read.Offset, length, file.BlockSize, size);
        ReadOperation operation = server.Reads.Rent();
        operation._server = server;
        operation._unique = request.Unique;
        operation._buffer = server.Buffers.Rent(blocks.Length);
        operation._skip = blocks.Skip;
        operation._length = length;

        Bio bio = Bio.Rent();
        bio.Operation = BioOperation.Read;
        bio.Sector = blocks.Start;
        bio.Count = blocks.Count;
        bio.Buffer = new BioBuffer(operation._buffer.Address, blocks.Length);
        bio.Device = file.Device;
        bio.Submit(operation);
    }

    public void BioEnded(Bio bio)
    {
        FuseServer server = _server!;
        Errno errno = bio.Status.ToErrno();
        bio.Return();
        if (errno == Errno.None)
        {
            server.Connection.Reply(_unique, _buffer.Address + _skip, _length);
        }
        else
        {
            server.Connection.Refuse(_unique, errno);
        }

        _buffer.Return();
        server.Reads.Return(this);
    }
}
