using System.Buffers.Binary;
using DeviceMapper.Io;
using DeviceMapper.Metadata;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Thin;

/// <summary>
/// The metadata of a thin pool: its volumes, their mappings, and which blocks are in use (the kernel's dm-thin-metadata). A change is there
/// after the next <see cref="Commit"/>, or not at all.
/// </summary>
/// <remarks>
/// A mapping is a number of 64 bits: the data block, and in the lowest 24 the pool's time when it was made. Whoever calls holds
/// <see cref="Lock"/>, for reading or for writing as the member says.
/// </remarks>
internal sealed partial class ThinMetadata
{
    /// <summary>Volumes are numbered below this.</summary>
    public const ulong MostVolumes = 1 << 24;

    /// <summary>The most blocks of a metadata device that are used.</summary>
    public const ulong MostMetadataBlocks = (ulong)FlatBitmapIndex.MostBitmaps * Bitmap.Entries;

    /// <summary>The bits of a mapping that are a time; the data block is above them.</summary>
    public const int TimeBits = 24;

    private const ulong MostReserved = 4096; // blocks
    private const ulong LeastMetadataBlocks = 3; // the superblock, a space map's index and a bitmap; what does not fit then is ENOSPC

    private readonly BlockDevice _device;
    private readonly uint _dataBlockSize;
    private readonly Action _flushData;
    private readonly Dictionary<ulong, Volume> _open = [];
    private TransactionManager _transaction = null!;
    private ThinSuperblock _super = null!;
    private DiskSpaceMap _data = null!;
    private BTree _volumes = null!; // volume to the root of its mappings
    private BTree _mappings = null!; // block of a volume to data block and time
    private BTree _details = null!;
    private ulong _metadataThreshold;
    private ThinSuperblock? _marked; // with the mark needs_check, which is still to be written
    private bool _changed;
    private bool _inService; // it has been changed, or a volume opened: from then on there is no commit that writes nothing
    private int _unfinished; // changes that began; after one that failed half-way there is only an abort

    /// <summary>Opens the metadata on a device, or formats it where its first block is all zeroes. Waits.</summary>
    /// <param name="device">The metadata device.</param>
    /// <param name="dataBlockSize">Sectors of a data block.</param>
    /// <param name="flushData">Makes data durable that mappings about to be committed refer to.</param>
    /// <param name="mayFormat">Whether it may be formatted.</param>
    public ThinMetadata(BlockDevice device, uint dataBlockSize, Action flushData, bool mayFormat = true)
    {
        _device = device;
        _dataBlockSize = dataBlockSize;
        _flushData = flushData;
        Load(mayFormat);
    }

    /// <summary>Many read, one writes.</summary>
    public ReaderWriterLockSlim Lock { get; } = new();

    /// <summary>The number for the user. Set: to be written.</summary>
    public ulong TransactionId
    {
        get => _super.TransactionId;
        set
        {
            _super.TransactionId = value;
            _changed = _inService = true;
        }
    }

    /// <summary>The block of the metadata snapshot; 0 without one.</summary>
    public ulong HeldRoot => _super.HeldRoot;

    /// <summary>Whether it must be checked before it may be written again.</summary>
    public bool NeedsCheck => _super.NeedsCheck;

    /// <summary>Blocks of the data device.</summary>
    public ulong DataBlocks => _data.Blocks;

    /// <summary>Free ones of them.</summary>
    public ulong FreeDataBlocks => _data.Free;

    /// <summary>Blocks of the metadata device.</summary>
    public ulong MetadataBlocks => _transaction.Space.Blocks;

    /// <summary>Free ones of them, without those that are kept for what must be possible when nothing else is.</summary>
    public ulong FreeMetadataBlocks
    {
        get
        {
            ulong reserved = Math.Min(MostReserved, MetadataBlocks / 10);
            ulong free = _transaction.Space.Free;
            return free < reserved ? 0 : free - reserved;
        }
    }

    /// <summary>How often metadata blocks became few since the start, or since an <see cref="Abort"/>.</summary>
    public int TimesMetadataLow => _transaction.Space.TimesLow;

    /// <summary>Sets how many free metadata blocks are few. For the writer.</summary>
    public void SetMetadataThreshold(ulong blocks) => _transaction.Space.Threshold = _metadataThreshold = blocks;

    /// <summary>Whether something is to be committed.</summary>
    public bool HasChanges => _changed;

    /// <summary>Whether a change failed half-way: the trees and the counts of blocks may differ, and only an <see cref="Abort"/> helps.</summary>
    public bool IsTorn => _unfinished > 0;

    /// <summary>Blocks that the metadata device has now.</summary>
    public ulong DeviceBlocks => _transaction.Blocks.DeviceBlocks;

    /// <summary>
    /// Makes everything durable that has changed: the data first, then the blocks, then the superblock, which is written also where nothing has, as in the
    /// kernel: so whoever asks learns that it cannot be. For the writer; waits.
    /// </summary>
    public void Commit()
    {
        if (!_changed && !_inService)
        {
            return;
        }

        if (_unfinished > 0)
        {
            throw new DmException(Errno.EIO, "a change of the metadata failed half-way, so nothing of its transaction can be kept");
        }

        _flushData();
        foreach (Volume volume in _open.Values)
        {
            if (volume.IsChanged && !volume.IsAborted)
            {
                SaveDetails(volume.Id, volume.Details);
            }
        }

        _data.PreCommit();
        _transaction.PreCommit();
        WriteSuperblock();
        _transaction.Committed();
        _data.Committed();
        foreach (Volume volume in _open.Values)
        {
            volume.IsChanged &= volume.IsAborted; // not before: a volume whose changes are lost must know that it had some
        }

        ForgetClosed();
        _changed = false;
    }

    /// <summary>
    /// Forgets all changes since the last commit. Volumes that had some go on counting their mapped blocks as before, as in the kernel. For the writer; waits.
    /// </summary>
    public void Abort()
    {
        Load(mayFormat: false);
        ForgetClosed();
        foreach (Volume volume in _open.Values)
        {
            volume.IsAborted |= volume.IsChanged;
            volume.Root = FindRoot(volume.Id);
        }
    }

    /// <summary>
    /// Marks the metadata as to be checked, in the superblock as it is on the device. Where that cannot be written, it is when
    /// <see cref="SaveNeedsCheck"/> can: the kernel leaves it to its cache of blocks. For the writer; waits.
    /// </summary>
    /// <exception cref="DmException">The superblock cannot be read.</exception>
    public void SetNeedsCheck()
    {
        byte[] data = new byte[BlockKind.Size];
        _transaction.Blocks.ReadFromDevice(ThinSuperblock.Location, data);
        _marked = ThinSuperblock.Read(data);
        _marked.NeedsCheck = true;
        _super.NeedsCheck = true;
        SaveNeedsCheck();
    }

    /// <summary>Writes the mark of <see cref="SetNeedsCheck"/> if it could not be written before. For the writer; waits.</summary>
    public void SaveNeedsCheck()
    {
        if (_marked is null)
        {
            return;
        }

        byte[] data = new byte[BlockKind.Size];
        _marked.Write(data);
        try
        {
            _transaction.Blocks.WriteDurably(ThinSuperblock.Location, BlockKind.ThinSuperblock, data);
            _marked = null;
        }
        catch (DmException)
        {
            // Tried again when a table becomes live, and at the end.
        }
    }

    /// <summary>Leaves the superblock without the mark of <see cref="SetNeedsCheck"/>, where that could not be written. For the writer.</summary>
    public void ForgetNeedsCheck() => _marked = null;

    /// <summary>Has more data blocks. For the writer.</summary>
    public void ExtendData(ulong blocks)
    {
        BeginChange();
        _data.Extend(blocks);
        EndChange();
    }

    /// <summary>Uses more of the metadata device. For the writer.</summary>
    public void ExtendMetadata(ulong blocks)
    {
        BeginChange();
        _transaction.Space.Extend(blocks);
        _super.MetadataBlocks = blocks;
        EndChange();
    }

    /// <summary>Takes a free data block. For the writer.</summary>
    /// <exception cref="DmException">ENOSPC: none is free.</exception>
    public ulong AllocateData()
    {
        _changed = _inService = true;
        ulong block = _data.FindFree() ?? throw new DmException(Errno.ENOSPC, "no data block is free");
        BeginChange();
        _data.Take(block);
        EndChange();
        return block;
    }

    /// <summary>Counts a data block once more: it must not be used otherwise for now. For the writer.</summary>
    public void HoldData(ulong block)
    {
        BeginChange();
        _data.Increment(block);
        EndChange();
    }

    /// <summary>Ends a <see cref="HoldData"/>, or gives back a block that was taken and not mapped. For the writer.</summary>
    public void ReleaseData(ulong block)
    {
        BeginChange();
        _data.Decrement(block);
        EndChange();
    }

    /// <summary>How often a data block is referred to.</summary>
    public uint CountOfData(ulong block) => _data.CountOf(block);

    /// <summary>Writes changed blocks early where there are too many.</summary>
    public void LimitMemory() => _transaction.Blocks.LimitDirty();

    private void BeginChange()
    {
        _changed = _inService = true;
        _unfinished++;
    }

    private void EndChange() => _unfinished--;

    private void Load(bool mayFormat)
    {
        _unfinished = 0;
        _transaction = new TransactionManager(new BlockManager(_device));
        _transaction.Space.Threshold = _metadataThreshold;
        _mappings = new BTree(_transaction, new MappingValue(this));
        _volumes = new BTree(_transaction, new TreeValue(this));
        _details = new BTree(_transaction, new BTreeValue(VolumeDetails.Length));
        byte[] data = new byte[BlockKind.Size];
        _transaction.Blocks.ReadFromDevice(ThinSuperblock.Location, data);
        if (data.AsSpan().IndexOfAnyExcept((byte)0) < 0)
        {
            if (!mayFormat)
            {
                throw new DmException(Errno.EPERM, "the metadata device is empty, and may not be formatted for a pool that is only read");
            }

            Format();
            return;
        }

        _super = ThinSuperblock.Read(data);
        if (_super.DataBlockSize != _dataBlockSize)
        {
            throw new DmException(Errno.EINVAL, $"the pool's metadata has data blocks of {_super.DataBlockSize} sectors, not {_dataBlockSize}");
        }

        _transaction.Space.Open(_super.MetadataSpace);
        _data = new DiskSpaceMap(_transaction, _super.DataSpace);
        _changed = false;
    }

    private void Format()
    {
        if (DeviceBlocks < LeastMetadataBlocks)
        {
            throw new DmException(Errno.EINVAL, $"the metadata device has {DeviceBlocks} blocks of 4 KiB, too few for any metadata");
        }

        _super = new ThinSuperblock { DataBlockSize = _dataBlockSize };
        _transaction.Space.Create(DeviceBlocks, ThinSuperblock.Location + 1);
        _super.MetadataBlocks = DeviceBlocks;
        _data = new DiskSpaceMap(_transaction, null);
        _super.Mappings = _volumes.Create();
        _super.Details = _details.Create();
        _changed = true;
        Commit();
    }

    private void WriteSuperblock()
    {
        _super.DataSpace = _data.Root;
        _super.MetadataSpace = _transaction.Space.Root;
        byte[] data = new byte[BlockKind.Size];
        _super.Write(data);
        _transaction.Blocks.WriteDurably(ThinSuperblock.Location, BlockKind.ThinSuperblock, data);
    }

    private VolumeDetails? FindDetails(ulong id)
    {
        Span<byte> value = stackalloc byte[VolumeDetails.Length];
        return _details.TryFind(_super.Details, id, value) ? VolumeDetails.Read(value) : null;
    }

    private void SaveDetails(ulong id, VolumeDetails details)
    {
        Span<byte> value = stackalloc byte[VolumeDetails.Length];
        details.Write(value);
        _super.Details = _details.Insert(_super.Details, id, value, out _);
    }

    /// <summary>A mapping counts its data block.</summary>
    private sealed class MappingValue(ThinMetadata metadata) : BTreeValue(sizeof(ulong))
    {
        public override void Increment(ReadOnlySpan<byte> value) => metadata._data.Increment(BlockOf(value));

        public override void Decrement(ReadOnlySpan<byte> value) => metadata._data.Decrement(BlockOf(value));

        private static ulong BlockOf(ReadOnlySpan<byte> value) => BinaryPrimitives.ReadUInt64LittleEndian(value) >> TimeBits;
    }

    /// <summary>A volume counts its tree of mappings.</summary>
    private sealed class TreeValue(ThinMetadata metadata) : BTreeValue(sizeof(ulong))
    {
        public override void Increment(ReadOnlySpan<byte> value) =>
            metadata._transaction.Increment(BinaryPrimitives.ReadUInt64LittleEndian(value));

        public override void Decrement(ReadOnlySpan<byte> value) => metadata._mappings.Delete(BinaryPrimitives.ReadUInt64LittleEndian(value));
    }
}
