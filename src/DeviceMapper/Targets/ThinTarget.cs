using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Targets.Thin;

namespace DeviceMapper.Targets;

/// <summary>
/// A volume of a pool: <c>thin &lt;pool&gt; &lt;volume&gt; [&lt;external origin&gt;]</c> (drivers/md/dm-thin.c). A block is taken from the pool when it is
/// first written to; what was never written reads as zeroes, or as the external origin.
/// </summary>
public sealed class ThinTarget : Target
{
    private const uint MostBlocksOfDiscard = 1024;

    private readonly DeviceReference _poolDevice;
    private readonly DeviceReference? _origin;
    private readonly ulong _id;
    private readonly ThinPool _pool;
    private readonly ThinMetadata.Volume? _volume;

    /// <summary>Takes the pool and opens the volume, which a message to the pool has made.</summary>
    public ThinTarget(TargetArguments arguments)
        : base(arguments)
    {
        arguments.Expect(2, 3);
        if (arguments.Count == 3)
        {
            if (arguments[0] == arguments[2])
            {
                throw arguments.Refuse(2, "external origin", "is the pool as well");
            }

            _origin = arguments.Device(2, "external origin", DeviceMode.ReadOnly);
        }

        _poolDevice = arguments.Device(0, "pool");
        _id = KernelNumber.TryParse(arguments[1], out ulong id) && id < ThinMetadata.MostVolumes
            ? id
            : throw arguments.Refuse(1, "volume", $"is not a number from 0 to {ThinMetadata.MostVolumes - 1}");
        Pools pools = Pools.Of(Table.Owner.Registry);
        _pool = (_poolDevice.Device is MappedDevice device ? pools.Find(device) : null) ?? throw arguments.Refuse(0, "pool", "is not a pool's device");
        try
        {
            _volume = OpenVolume(arguments);
        }
        catch
        {
            pools.Put(_pool);
            throw;
        }

        MaxIo = new SectorCount(_pool.BlockSize);
        FlushBios = 1;
        FlushSupported = true;
        WantsEnd = true;
        if (_pool.Features.DiscardEnabled)
        {
            DiscardBios = 1;
            DiscardsSupported = true;
            SplitsDiscards = true;
        }
    }

    /// <summary>The type <c>thin</c>.</summary>
    public static TargetType Definition { get; } = new(
        "thin", new(1, 23, 0), "<pool> <volume> [<external origin>]", TargetFeatures.None, arguments => new ThinTarget(arguments));

    /// <summary>The volume in the pool's metadata.</summary>
    internal ThinMetadata.Volume Volume => _volume!;

    /// <summary>The external origin, or null.</summary>
    internal BlockDevice? Origin => _origin?.Device;

    /// <summary>How its bios end that would have to wait for the pool, when the mapped device does not wait for them; null when it does.</summary>
    internal BioStatus? HandsBack { get; private set; }

    /// <inheritdoc/>
    public override MapResult Map(Bio bio) => _pool.Map(this, bio);

    /// <inheritdoc/>
    public override EndResult EndIo(Bio bio, ref BioStatus status) => _pool.EndIo(bio, status);

    /// <summary>Blocks that are not mapped are holes, but where an external origin is behind them. Waits for the metadata.</summary>
    public override (SectorCount Length, bool Hole) ExtentAt(Sector start, SectorCount length)
    {
        ulong from = OffsetOf(start).Value;
        ulong origin = _origin?.Device.Size.Value ?? 0;
        if (_pool.Mode == PoolMode.Fail || from < origin)
        {
            return (_pool.Mode == PoolMode.Fail ? length : SectorCount.Min(length, new SectorCount(origin - from)), false);
        }

        Plug.Flush(); // what this thread has held back must not wait for the pool's lock, too
        ulong first = from / _pool.BlockSize;
        ulong end = (from + length.Value + _pool.BlockSize - 1) / _pool.BlockSize;
        (ulong blocks, bool mapped) = _pool.Read(metadata => (metadata.RunFrom(Volume, first, end, out bool isMapped), isMapped));
        return (SectorCount.Min(length, new SectorCount(((first + blocks) * _pool.BlockSize) - from)), !mapped);
    }

    /// <summary>Bios that wait for the pool do not keep a suspend without a flush, or a removal, waiting.</summary>
    public override void Presuspend()
    {
        HandsBack = Table.Owner.IsNoFlushSuspending ? BioStatus.Requeue : Table.Owner.IsEnding ? BioStatus.IoError : null;
        if (HandsBack is { } status)
        {
            _pool.HandBack(this, status);
        }
    }

    /// <inheritdoc/>
    public override void PresuspendUndo() => HandsBack = null;

    /// <inheritdoc/>
    public override void Postsuspend() => HandsBack = null;

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, bool noflush)
    {
        if (_pool.Mode == PoolMode.Fail)
        {
            text.Append("Fail");
            return;
        }

        try
        {
            (ulong mapped, ulong? highest) = _pool.Read(metadata => (Volume.Details.Mapped, metadata.HighestMapped(Volume)));
            text.Append($"{mapped * _pool.BlockSize} ");
            text.Append(highest is { } block ? $"{((block + 1) * _pool.BlockSize) - 1}" : "-");
        }
        catch (DmException)
        {
            text.Append("Error");
        }
    }

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text)
    {
        text.Append($"{_poolDevice.Name} {_id}");
        if (_origin is not null)
        {
            text.Append($" {_origin.Name}");
        }
    }

    /// <summary>The pool; a volume may be larger than that.</summary>
    public override IEnumerable<TargetArea> Areas => _pool.TableBlocks is > 0 and var blocks
        ? [new(_poolDevice, default, new SectorCount(blocks * _pool.BlockSize))]
        : [];

    /// <inheritdoc/>
    public override QueueLimits AdjustLimits(QueueLimits limits) => _pool.Features.DiscardEnabled
        ? limits with { DiscardGranularity = _pool.BlockSize * Sector.Size, MaxDiscard = new SectorCount((ulong)_pool.BlockSize * MostBlocksOfDiscard) }
        : limits;

    /// <inheritdoc/>
    public override void Dispose()
    {
        _pool.Close(Volume);
        Pools.Of(Table.Owner.Registry).Put(_pool);
        base.Dispose();
    }

    private ThinMetadata.Volume OpenVolume(TargetArguments arguments)
    {
        if (_pool.Mode == PoolMode.Fail)
        {
            throw arguments.Refuse(0, "pool", "has failed: its metadata must be repaired first");
        }

        ThinMetadata.Volume volume;
        try
        {
            volume = _pool.Open(_id);
        }
        catch (DmException e)
        {
            throw new DmException(e.Errno, $"{Type.Name}: argument 2 (volume): {e.Message}", e);
        }

        if (_pool.IsSuspended)
        {
            _pool.Close(volume);
            throw arguments.Refuse(0, "pool", "is suspended: volumes can be loaded when it is resumed");
        }

        return volume;
    }
}
