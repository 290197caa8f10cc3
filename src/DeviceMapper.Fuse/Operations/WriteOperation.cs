using System.Runtime.CompilerServices;
using DeviceMapper.Fuse.Native;
using DeviceMapper.Fuse.Protocol;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Operations;

/// <summary>
/// WRITE: one bio. What is not whole blocks is read, changed and written, alone on its device (<see cref="WriteGate"/>).
/// Short at the device's end, and ENOSPC behind it, as a block device.
/// </summary>
internal sealed class WriteOperation : IBioCompletion, IGateEntrant
{
    // Smaller data is copied, so that a parked write does not hold a whole receive buffer. A copy of 32 KiB takes 2 µs.
    private const int LargestCopy = 32 << 10;

    private FuseServer? _server;
    private FuseFile? _file;
    private ulong _unique;
    private BlockRange _blocks;
    private IoBuffer _data; // the memory that the data is in
    private nint _dataAddress;
    private int _length;
    private IoBuffer _whole; // whole blocks, where the data is not
    private BioFlags _flags;

    /// <inheritdoc/>
    public IGateEntrant? NextEntrant { get; set; }

    /// <inheritdoc/>
    public bool IsExclusive { get; private set; }

    public static unsafe void Handle(FuseServer server, in FuseRequest request, FuseWorker worker)
    {
        if (!request.TryRead(out FuseDataIn write) || write.Size > (uint)(request.Body.Length - Unsafe.SizeOf<FuseDataIn>()))
        {
            server.Connection.Refuse(request.Unique, Errno.EINVAL);
            return;
        }

        if (server.Directory.FindByNode(request.Header.NodeId) is not { } file)
        {
            server.Connection.Refuse(request.Unique, Errno.ESTALE);
            return;
        }

        if (file.IsReadOnly)
        {
            server.Connection.Refuse(request.Unique, Errno.EPERM); // what a read-only block device answers, and not EROFS
            return;
        }

        ulong size = file.Size;
        if (write.Size == 0 || write.Offset >= size)
        {
            server.Connection.Refuse(request.Unique, write.Size == 0 ? Errno.None : Errno.ENOSPC);
            return;
        }

        if (BlockRange.IsRefused(write, file.BlockSize))
        {
            server.Connection.Refuse(request.Unique, Errno.EINVAL);
            return;
        }

        int length = (int)Math.Min(write.Size, size - write.Offset);
        ReadOnlySpan<byte> data = request.Body.Slice(Unsafe.SizeOf<FuseDataIn>(), length);
        WriteOperation operation = server.Writes.Rent();
        operation._server = server;
        operation._file = file;
        operation._unique = request.Unique;
        operation._length = length;
        operation._blocks = BlockRange.Covering(write.Offset, length, file.BlockSize, size);
        operation._flags = (write.Flags & LibC.O_DSYNC) != 0 ? BioFlags.Fua : BioFlags.None; // O_SYNC has this bit too
        operation.IsExclusive = operation._blocks.Length != length;
        if (length <= LargestCopy)
        {
            operation._data = server.Buffers.Rent(length);
            operation._dataAddress = operation._data.Address;
            data.CopyTo(new Span<byte>((void*)operation._dataAddress, length));
        }
        else
        {
            operation._dataAddress = (nint)Unsafe.AsPointer(ref Unsafe.AsRef(in data[0])); // native memory: it stays where it is
            operation._data = worker.TakeBuffer();
        }

        file.Gate.Enter(operation);
    }

    /// <inheritdoc/>
    public void Enter()
    {
        if (IsExclusive)
        {
            _whole = _server!.Buffers.Rent(_blocks.Length);
            Submit(BioOperation.Read, _whole.Address);
        }
        else
        {
            Submit(BioOperation.Write, _dataAddress);
        }
    }

    public unsafe void BioEnded(Bio bio)
    {
        Errno errno = bio.Status.ToErrno();
        bool hasRead = bio.Operation == BioOperation.Read;
        bio.Return();
        if (hasRead && errno == Errno.None)
        {
            new ReadOnlySpan<byte>((void*)_dataAddress, _length).CopyTo(new Span<byte>((void*)(_whole.Address + _blocks.Skip), _length));
            Submit(BioOperation.Write, _whole.Address);
            return;
        }

        if (errno == Errno.None)
        {
            _server!.Connection.Reply(_unique, new FuseWriteOut { Size = (uint)_length });
        }
        else
        {
            _server!.Connection.Refuse(_unique, errno);
        }

        End();
    }

    private void Submit(BioOperation what, nint address)
    {
        Bio bio = Bio.Rent();
        bio.Operation = what;
        bio.Flags = what == BioOperation.Write ? _flags : BioFlags.None;
        bio.Sector = _blocks.Start;
        bio.Count = _blocks.Count;
        bio.Buffer = new BioBuffer(address, _blocks.Length);
        bio.Device = _file!.Device;
        bio.Submit(this);
    }

    private void End()
    {
        WriteGate gate = _file!.Gate;
        bool exclusive = IsExclusive;
        _data.Return();
        if (exclusive)
        {
            _whole.Return();
        }

        _file = null;
        _server!.Writes.Return(this);
        gate.Exit(exclusive);
    }
}
