using System.Globalization;
using System.Text;
using DeviceMapper.Cryptography;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Integrity;

/// <summary>
/// A device whose every block has a tag that tells whether it was changed: <c>integrity &lt;device&gt; &lt;offset&gt; &lt;tag size&gt; &lt;mode&gt;
/// &lt;#options&gt; [&lt;option&gt;...]</c> (drivers/md/dm-integrity.c). A blank device is formatted.
/// </summary>
public sealed class IntegrityTarget : Target
{
    private const int LargestTag = 255;

    private readonly IntegrityOptions _options;
    private readonly IntegritySuperblock _superblock;
    private readonly DeviceReference _device;
    private readonly Sector _start; // of the superblock, or with a metadata device of the data
    private readonly IntegrityWorker _worker;

    /// <summary>Takes device, place, size of a tag, mode and options; reads the superblock, or writes one to a blank device.</summary>
    public IntegrityTarget(TargetArguments arguments)
        : base(arguments)
    {
        arguments.Expect(5, int.MaxValue);
        _device = arguments.Device(0);
        _start = arguments.Sector(1, "offset");
        uint tag = 0;
        if (arguments[2] != "-" && ((tag = (uint)arguments.Number(2, "tag size", "a number of bytes")) == 0))
        {
            throw arguments.Refuse(2, "tag size", "is not a positive number of bytes");
        }

        _options = new IntegrityOptions(arguments) { DeviceSectors = _device.Backend.Size.Value };
        try
        {
            if (tag == 0)
            {
                tag = (uint)(_options.InternalHash?.Size ?? throw arguments.Refuse(2, "tag size", "is left to internal_hash, which is not given"));
            }

            if (tag > LargestTag)
            {
                throw arguments.Refuse(2, "tag size", $"is more than the {LargestTag} bytes that a tag can have");
            }

            if (_options.AllowDiscards && _options.InternalHash is null)
            {
                throw arguments.Refuse("allow_discards needs internal_hash");
            }

            _superblock = new IntegritySuperblock { TagSize = (int)tag, Log2Block = _options.Log2Block };
            _worker = new IntegrityWorker(this, _options, _superblock, _device, _start);
            _worker.Open();
            if (Length.Value > _superblock.ProvidedSectors)
            {
                throw arguments.Refuse($"the device gives {_superblock.ProvidedSectors} sectors, and the target has {Length}");
            }
        }
        catch
        {
            _worker?.Dispose();
            _options.Dispose();
            throw;
        }

        MaxIo = SectorCount.Min(new SectorCount(BufferPool.MaxLength / Sector.Size), new SectorCount(_superblock.Interleave == 0 ? ulong.MaxValue : _superblock.Interleave));
        FlushBios = 1;
        FlushSupported = true;
        DiscardBios = _options.AllowDiscards ? 1 : 0;
    }

    /// <summary>The type <c>integrity</c>.</summary>
    public static TargetType Definition { get; } = new(
        "integrity",
        new(1, 14, 0),
        "<device> <offset> <tag size> <mode> <#options> [<option>...]",
        TargetFeatures.Singleton,
        arguments => new IntegrityTarget(arguments));

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        ulong block = (1ul << _options.Log2Block) - 1;
        ulong offset = OffsetOf(bio.Sector).Value;
        if (bio.Operation != BioOperation.Flush && ((offset | bio.Count.Value) & block) != 0)
        {
            return MapResult.Kill;
        }

        if (_options.Mode == 'R' && bio.IsWrite)
        {
            return MapResult.Kill;
        }

        bio.Sector = new Sector(offset);
        _worker.Add(bio);
        return MapResult.Submitted;
    }

    /// <inheritdoc/>
    public override void Preresume() => _worker.Replay();

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, bool noflush) =>
        text.Append(CultureInfo.InvariantCulture, $"{_worker.Mismatches} {_superblock.ProvidedSectors} -");

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text)
    {
        text.Append(CultureInfo.InvariantCulture, $"{_device.Name} {_start} {_superblock.TagSize}");
        _options.Append(text, _superblock);
    }

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas =>
        [_options.MetadataDevice is null ? new(_device, _start + new SectorCount(_superblock.DataSector(0)), Length) : new(_device, default, Length)];

    /// <inheritdoc/>
    public override QueueLimits AdjustLimits(QueueLimits limits)
    {
        uint block = (uint)Sector.Size << _options.Log2Block;
        return limits with
        {
            LogicalBlockSize = Math.Max(limits.LogicalBlockSize, block),
            PhysicalBlockSize = Math.Max(limits.PhysicalBlockSize, block),
            IoMin = Math.Max(limits.IoMin, block),
        };
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _worker.Dispose();
        _options.Dispose();
        base.Dispose();
    }
}
