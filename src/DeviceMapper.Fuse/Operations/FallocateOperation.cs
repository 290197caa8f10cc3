using System.Runtime.InteropServices;
using DeviceMapper.Fuse.Protocol;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Operations;

/// <summary>
/// FALLOCATE, as a block device takes it (the kernel's <c>blkdev_fallocate</c>): zeroing a range keeps the blocks, and writes zeroes
/// itself if need be; punching a hole is a <see cref="PunchOperation"/>.
/// </summary>
internal sealed class FallocateOperation : IBioCompletion, IGateEntrant
{
    private const uint KeepSize = 1, PunchHole = 2, ZeroRange = 0x10;
    private const int PieceLength = IoBuffers.MaxRequest;

    private static readonly Lazy<nint> Zeroes = new(AllocateZeroes);

    private readonly FuseServer _server;
    private readonly FuseFile _file;
    private readonly ulong _unique;
    private Sector _start;
    private SectorCount _left;

    private FallocateOperation(FuseServer server, FuseFile file, ulong unique, Sector start, SectorCount count)
    {
        _server = server;
        _file = file;
        _unique = unique;
        _start = start;
        _left = count;
    }

    /// <inheritdoc/>
    public IGateEntrant? NextEntrant { get; set; }

    /// <inheritdoc/>
    public bool IsExclusive => false;

    public static void Handle(FuseServer server, in FuseRequest request)
    {
        if (!request.TryRead(out FuseFallocateIn wanted))
        {
            server.Connection.Refuse(request.Unique, Errno.EINVAL);
            return;
        }

        if (server.Directory.FindByNode(request.Header.NodeId) is not { } file)
        {
            server.Connection.Refuse(request.Unique, Errno.ESTALE);
            return;
        }

        Errno refusal = Check(wanted, file, out SectorCount count);
        if (refusal != Errno.None)
        {
            server.Connection.Refuse(request.Unique, refusal);
            return;
        }

        Sector start = Sector.FromBytes(wanted.Offset);
        file.Gate.Enter((wanted.Mode & PunchHole) != 0
            ? new PunchOperation(server, file, request.Unique, start, count)
            : new FallocateOperation(server, file, request.Unique, start, count));
    }

    /// <inheritdoc/>
    public void Enter()
    {
        Bio bio = Bio.Rent();
        bio.Operation = BioOperation.WriteZeroes;
        bio.Flags = BioFlags.NoUnmap;
        bio.Sector = _start;
        bio.Count = _left;
        bio.Buffer = default;
        bio.Device = _file.Device;
        bio.Submit(this);
    }

    public void BioEnded(Bio bio)
    {
        Errno errno = bio.Status.ToErrno();
        BioOperation done = bio.Operation;
        SectorCount count = bio.Count;
        bio.Return();
        if (done == BioOperation.WriteZeroes && errno == Errno.EOPNOTSUPP)
        {
            WritePiece();
            return;
        }

        if (done == BioOperation.Write && errno == Errno.None && count < _left)
        {
            _start += count;
            _left -= count;
            WritePiece();
            return;
        }

        _server.Connection.Refuse(_unique, errno);
        _file.Gate.Exit(exclusive: false);
    }

    /// <summary>The refusals of a block device, in its order.</summary>
    private static Errno Check(FuseFallocateIn wanted, FuseFile file, out SectorCount count)
    {
        ulong size = file.Size;
        ulong end = wanted.Offset + wanted.Length;
        count = SectorCount.FromBytes(wanted.Length);
        if ((wanted.Mode & ~(KeepSize | PunchHole | ZeroRange)) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        if (wanted.Offset >= size || end < wanted.Offset)
        {
            return Errno.EINVAL;
        }

        if (end > size)
        {
            if ((wanted.Mode & KeepSize) == 0)
            {
                return Errno.EINVAL;
            }

            count = SectorCount.FromBytes(size - wanted.Offset);
        }

        if (((wanted.Offset | wanted.Length) & (file.BlockSize - 1ul)) != 0)
        {
            return Errno.EINVAL;
        }

        return wanted.Mode is (PunchHole | KeepSize) or ZeroRange or (ZeroRange | KeepSize)
            ? file.IsReadOnly ? Errno.EPERM : Errno.None
            : Errno.EOPNOTSUPP;
    }

    private static unsafe nint AllocateZeroes()
    {
        void* zeroes = NativeMemory.AlignedAlloc(PieceLength, 4096);
        NativeMemory.Clear(zeroes, PieceLength);
        return (nint)zeroes;
    }

    private void WritePiece()
    {
        SectorCount count = SectorCount.Min(_left, SectorCount.FromBytes(PieceLength));
        Bio bio = Bio.Rent();
        bio.Operation = BioOperation.Write;
        bio.Sector = _start;
        bio.Count = count;
        bio.Buffer = new BioBuffer(Zeroes.Value, (int)count.Bytes);
        bio.Device = _file.Device;
        bio.Submit(this);
    }
}
