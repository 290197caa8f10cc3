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
    private readonly IntegrityDevice _integrity;
    private readonly IntegrityState _state;
    private readonly RangeLocks _ranges = new();
    private readonly InlineIo _inline;
    private readonly IntegrityWorker _worker;
    private readonly DeviceReference _device;
    private readonly Sector _start; // of the superblock

    /// <summary>Takes device, place, size of a tag, mode and options; reads the superblock, or writes one to a blank device.</summary>
    public IntegrityTarget(TargetArguments arguments)
        : base(arguments)
    {
        arguments.Expect(5, int.MaxValue);
        _device = arguments.Device(0);
        _start = arguments.Sector(1, "offset");
        uint tag = arguments[2] == "-" ? 0 : arguments.Number32(2, "tag size", "a positive number of bytes", least: 1);
        _options = new IntegrityOptions(arguments);
        try
        {
            int tagSize = TagSize(arguments, tag);
            CheckMode(arguments, tagSize);
            _integrity = new IntegrityDevice(arguments, _options, tagSize, _device, _start);
            _state = new IntegrityState(_integrity);
            if (Length.Value > _integrity.Superblock.ProvidedSectors)
            {
                throw arguments.Refuse($"the device gives {_integrity.Superblock.ProvidedSectors} sectors, and the target has {Length}");
            }

            _state.Format();
        }
        catch
        {
            _state?.Dispose();
            _integrity?.Dispose();
            _options.Dispose();
            throw;
        }

        _inline = new InlineIo(_integrity, _state, _ranges);
        _worker = new IntegrityWorker(this, _integrity, _state, _ranges, _inline, arguments.Table.Owner.Registry.Options.Time);
        MaxIo = LargestIo();
        WantsEnd = true;
        FlushBios = 1;
        FlushSupported = true;
        DiscardBios = _options.AllowDiscards ? 1 : 0;
    }

    /// <summary>The type <c>integrity</c>.</summary>
    public static TargetType Definition { get; } = new(
        "integrity",
        new(1, 14, 0),
        "<device> <offset> <tag size> <mode> <#options> [<option>...]",
        TargetFeatures.Singleton | TargetFeatures.Integrity,
        arguments => new IntegrityTarget(arguments));

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        ulong block = (1ul << _options.Log2Block) - 1;
        ulong offset = OffsetOf(bio.Sector).Value;
        if (bio.Operation != BioOperation.Flush && (((offset | bio.Count.Value) & block) != 0 || offset + bio.Count.Value > _integrity.Superblock.ProvidedSectors))
        {
            return MapResult.Kill;
        }

        if ((_options.Mode == 'R' && bio.IsWrite) || (bio.Tags is { } tags && tags.Profile != _integrity.Profile))
        {
            return MapResult.Kill;
        }

        bio.Context = bio.Tags; // what goes down has no tags, or others
        bio.Tags = null;
        bio.Sector = new Sector(offset);
        if (_inline.TryBegin(bio))
        {
            return MapResult.Remapped;
        }

        _worker.Add(bio);
        return MapResult.Submitted;
    }

    /// <inheritdoc/>
    public override EndResult EndIo(Bio bio, ref BioStatus status)
    {
        bool ended = true;
        try
        {
            ended = _inline.TryEnd(bio, mayWait: false, ref status);
        }
        finally
        {
            if (ended && _ranges.Release(bio.ContextValue))
            {
                _worker.Wake();
            }
        }

        if (ended)
        {
            return EndResult.Done;
        }

        _worker.AddToFinish(bio);
        return EndResult.Incomplete;
    }

    /// <inheritdoc/>
    public override void Postsuspend() => _worker.Suspend();

    /// <inheritdoc/>
    public override void Resume() => _worker.Resume();

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, bool noflush)
    {
        IntegritySuperblock superblock = _integrity.Superblock;
        text.Append(CultureInfo.InvariantCulture, $"{_integrity.Mismatches} {superblock.ProvidedSectors} ");
        if (superblock.Has(IntegrityFlags.Recalculating))
        {
            text.Append(superblock.RecalculatedSectors);
        }
        else
        {
            text.Append('-');
        }
    }

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text)
    {
        text.Append(CultureInfo.InvariantCulture, $"{_device.Name} {_start} {_integrity.Superblock.TagSize}");
        _options.Append(text, _integrity.Superblock);
    }

    /// <inheritdoc/>
    public override void Measure(Measurement measurement)
    {
        IntegritySuperblock superblock = _integrity.Superblock;
        measurement.Add("dev_name", _device.Name).Add("start", _start).Add("tag_size", superblock.TagSize).Add("mode", _options.Mode);
        _options.Measure(measurement, superblock);
    }

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas =>
        [_options.MetadataDevice is null ? new(_device, _start + new SectorCount(_integrity.Superblock.DataSector(0)), Length) : new(_device, default, Length)];

    /// <inheritdoc/>
    public override QueueLimits AdjustLimits(QueueLimits limits)
    {
        uint block = (uint)_integrity.BlockSize;
        return limits with
        {
            LogicalBlockSize = Math.Max(limits.LogicalBlockSize, block),
            PhysicalBlockSize = Math.Max(limits.PhysicalBlockSize, block),
            IoMin = Math.Max(limits.IoMin, block),
            Integrity = _integrity.Profile,
        };
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _worker.Dispose();
        _state.Dispose();
        _integrity.Dispose();
        _options.Dispose();
        base.Dispose();
    }

    private int TagSize(TargetArguments arguments, uint given)
    {
        uint size = given != 0 ? given : (uint)(_options.InternalHash?.Size ?? throw arguments.Refuse(2, "tag size", "is left to internal_hash, which is not given"));
        return size <= LargestTag ? (int)size : throw arguments.Refuse(2, "tag size", $"is more than the {LargestTag} bytes that a tag can have");
    }

    private void CheckMode(TargetArguments arguments, int tagSize)
    {
        if (_options.Mode == 'I')
        {
            CheckInline(arguments, tagSize);
        }

        if (_options.Mode == 'B' && _options.InternalHash is null)
        {
            throw arguments.Refuse(3, "mode", "needs internal_hash: tags that come from above cannot be made again");
        }

        if (_options.AllowDiscards && _options.InternalHash is null)
        {
            throw arguments.Refuse("allow_discards needs internal_hash");
        }

        if (_options.KeyedDiscards && !_options.HashAlgorithm!.HasKey)
        {
            throw arguments.Refuse("allow_discards_keyed needs an internal_hash with a key");
        }
    }

    private void CheckInline(TargetArguments arguments, int tagSize)
    {
        if (_options.MetadataDevice is not null)
        {
            throw arguments.Refuse("meta_device has no place in mode I, where the device itself keeps the tags");
        }

        if (_options.InternalHash is null)
        {
            throw arguments.Refuse(3, "mode", "needs internal_hash");
        }

        if (_options.CryptAlgorithm is not null || _options.MacAlgorithm is not null)
        {
            throw arguments.Refuse("mode I has no journal that journal_crypt or journal_mac could protect");
        }

        if (_options.AllowDiscards)
        {
            throw arguments.Refuse("mode I takes no discards");
        }

        IntegrityProfile profile = _device.Device.Limits.Integrity
            ?? throw arguments.Refuse(3, "mode", "needs a device that keeps metadata beside each block, as integrity without internal_hash does");
        if (profile.TagSize < tagSize)
        {
            throw arguments.Refuse(2, "tag size", $"is more than the {profile.TagSize} bytes that the device keeps beside a block");
        }

        if (profile.BlockSize != Sector.Size << _options.Log2Block)
        {
            throw arguments.Refuse($"blocks have {Sector.Size << _options.Log2Block} bytes, and those that the device keeps metadata for {profile.BlockSize}: see block_size");
        }
    }

    private SectorCount LargestIo()
    {
        SectorCount largest = new(BufferPool.MaxLength / Sector.Size);
        ulong interleave = _integrity.Superblock.Interleave;
        return interleave == 0 ? largest : SectorCount.Min(largest, new SectorCount(interleave));
    }
}
