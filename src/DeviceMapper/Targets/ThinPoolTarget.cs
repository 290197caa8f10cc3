using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Metadata;
using DeviceMapper.Native;
using DeviceMapper.Targets.Thin;

namespace DeviceMapper.Targets;

/// <summary>
/// A pool of blocks that volumes take as they are written to: <c>thin-pool &lt;metadata device&gt; &lt;data device&gt; &lt;block size&gt;
/// &lt;low water mark&gt; [&lt;#features&gt; &lt;feature&gt;...]</c> (drivers/md/dm-thin.c). Its own I/O goes straight to the data device.
/// </summary>
public sealed class ThinPoolTarget : Target
{
    private const uint BlockUnit = 128; // sectors, 64 KiB: the smallest block, and what others are multiples of
    private const uint LargestBlock = 1 << 21; // sectors, 1 GiB

    private readonly DeviceReference _metadata;
    private readonly DeviceReference _data;
    private readonly ThinPool _pool;

    /// <summary>Takes the devices, and the pool: the one that the device has already, or a new one.</summary>
    public ThinPoolTarget(TargetArguments arguments)
        : base(arguments)
    {
        arguments.Expect(4, int.MaxValue);
        if (arguments[0] == arguments[1])
        {
            throw arguments.Refuse(1, "data device", "is the metadata device as well");
        }

        Features = PoolFeatures.Parse(arguments);
        _metadata = OpenMetadata(arguments);
        _data = arguments.Device(1, "data device", DeviceMode.ReadWrite);
        if (!KernelNumber.TryParse(arguments[2], out ulong blockSize) || blockSize < BlockUnit || blockSize > LargestBlock || blockSize % BlockUnit != 0)
        {
            throw arguments.Refuse(2, "block size", $"is not a multiple of {BlockUnit} sectors, at most {LargestBlock}");
        }

        LowWater = KernelNumber.TryParse(arguments[3], out ulong mark) ? mark : throw arguments.Refuse(3, "low water mark", "is not a number of blocks");
        WantedMode = Features.ReadOnly ? PoolMode.ReadOnly : PoolMode.Write;
        _pool = GetPool(arguments, (uint)blockSize);
        _pool.SetMetadataThreshold(MetadataThreshold);
        FlushBios = 1;
        if (Features is { DiscardEnabled: true, DiscardPassdown: true })
        {
            DiscardBios = 1;
            DiscardsSupported = true;
        }
    }

    /// <summary>The type <c>thin-pool</c>.</summary>
    public static TargetType Definition { get; } = new(
        "thin-pool",
        new(1, 23, 0),
        "<metadata device> <data device> <block size> <low water mark> [<#features> <feature>...]",
        TargetFeatures.Singleton | TargetFeatures.AlwaysWriteable | TargetFeatures.Immutable,
        arguments => new ThinPoolTarget(arguments));

    /// <summary>The features of its table.</summary>
    internal PoolFeatures Features { get; }

    /// <summary>The mode that a resume makes current: that of the table, and then the pool's own.</summary>
    internal PoolMode WantedMode { get; set; }

    /// <summary>Free blocks at which an event is raised.</summary>
    internal ulong LowWater { get; }

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        bio.Device = _data.Device;
        return MapResult.Remapped;
    }

    /// <inheritdoc/>
    public override void Presuspend() => _pool.Suspend();

    /// <inheritdoc/>
    public override void PresuspendUndo() => _pool.UndoSuspend();

    /// <inheritdoc/>
    public override void Postsuspend() => _pool.CommitNow();

    /// <inheritdoc/>
    public override void Preresume()
    {
        try
        {
            _pool.Bind(this);
        }
        catch (DmException) when (_pool.Mode == PoolMode.Fail)
        {
            // It can be resumed, so that it can be removed.
        }
    }

    /// <inheritdoc/>
    public override void Resume() => _pool.Resume();

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, bool noflush) => _pool.AppendStatus(text, noflush, MetadataThreshold);

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text)
    {
        text.Append($"{_metadata.Name} {_data.Name} {_pool.BlockSize} {LowWater} "); // the pool's block size, whatever the table says
        Features.AppendTable(text);
    }

    /// <inheritdoc/>
    public override string? Message(IReadOnlyList<string> words)
    {
        _pool.Message(words);
        return null;
    }

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas => [new(_data, default, Length)];

    /// <inheritdoc/>
    public override QueueLimits AdjustLimits(QueueLimits limits)
    {
        uint block = (uint)(_pool.BlockSize * Sector.Size);
        return limits.IoOpt >= block && limits.IoOpt % block == 0 ? limits : limits with { IoMin = block, IoOpt = block };
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Pools.Of(Table.Owner.Registry).Put(_pool);
        base.Dispose();
    }

    /// <summary>Free metadata blocks at which an event is raised: a quarter, at most 4 MiB.</summary>
    internal ulong MetadataThreshold => Math.Min(1024, _metadata.Device.Size.Bytes / BlockKind.Size / 4);

    /// <summary>Opens the metadata device for writing; one that cannot be written to only for a pool that is only read.</summary>
    private DeviceReference OpenMetadata(TargetArguments arguments)
    {
        try
        {
            return arguments.Device(0, "metadata device", DeviceMode.ReadWrite);
        }
        catch (DmException e) when (Features.ReadOnly && e.Errno is Errno.EACCES or Errno.EROFS or Errno.EPERM)
        {
            return arguments.Device(0, "metadata device", DeviceMode.ReadOnly);
        }
    }

    private ThinPool GetPool(TargetArguments arguments, uint blockSize)
    {
        Pools pools = Pools.Of(Table.Owner.Registry);
        ThinPool pool;
        bool created;
        try
        {
            pool = pools.Get(arguments, _metadata, _data, blockSize, Features, out created);
        }
        catch (DmException e) when (!e.Message.StartsWith(Type.Name, StringComparison.Ordinal))
        {
            string next = e.Errno is Errno.EILSEQ or Errno.ENOTBLK ? $"; 'udm thin check METADATA' says what is damaged" : "";
            throw new DmException(e.Errno, $"{Type.Name}: argument 1 (metadata device): {e.Message}{next}", e);
        }

        if (!created && Features.DiscardEnabled != pool.Features.DiscardEnabled)
        {
            pools.Put(pool);
            throw arguments.Refuse("whether volumes take discards (ignore_discard) cannot be changed while the pool is in use");
        }

        return pool;
    }
}
