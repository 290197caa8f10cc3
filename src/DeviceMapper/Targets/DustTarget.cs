using System.Collections.Concurrent;
using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets;

/// <summary>
/// A device with bad blocks: reads of them fail until they are written: <c>dust &lt;device_path&gt; &lt;offset&gt; &lt;blksz&gt;</c>
/// (drivers/md/dm-dust.c).
/// </summary>
public sealed class DustTarget : Target
{
    private const uint LargestBlock = 1 << 30; // bytes
    private const uint MostFailures = 255;

    private readonly DeviceReference _device;
    private readonly Sector _offset;
    private readonly uint _blockSize; // bytes
    private readonly SectorCount _block;
    private readonly ConcurrentDictionary<ulong, byte> _bad = []; // blocks of the device below, and how many writes to each still fail
    private volatile bool _enabled;
    private volatile bool _quiet;

    /// <summary>Takes the device, where its part begins, and the size of a block in bytes.</summary>
    public DustTarget(TargetArguments arguments)
        : base(arguments)
    {
        arguments.Expect(3, 3);
        _blockSize = arguments.UInt32(2, "block size", "a number of bytes");
        if (_blockSize is < Io.Sector.Size or > LargestBlock || !uint.IsPow2(_blockSize))
        {
            throw arguments.Refuse(2, "block size", $"is not a power of two from {Io.Sector.Size} to {LargestBlock}");
        }

        if (_blockSize > Length.Bytes)
        {
            throw arguments.Refuse(2, "block size", $"is larger than the target's {Length.Bytes} bytes");
        }

        _offset = arguments.Sector(1, "offset");
        _device = Device(arguments);
        _block = SectorCount.FromBytes(_blockSize);
        MaxIo = _block;
        FlushBios = 1;
        DiscardBios = 1;
    }

    /// <summary>The type <c>dust</c>.</summary>
    public static TargetType Definition { get; } = new(
        "dust", new(1, 0, 0), "<device_path> <offset> <blksz>", TargetFeatures.None, arguments => new DustTarget(arguments));

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        bio.Device = _device.Device;
        bio.Sector = _offset + OffsetOf(bio.Sector);
        if (!_enabled)
        {
            return MapResult.Remapped;
        }

        // As in the kernel, blocks are counted on the device below, and a flush counts as a write of its first sector.
        ulong block = bio.Sector.Value / _block.Value;
        return bio.Operation == BioOperation.Read ? MapRead(block) : MapWrite(block);
    }

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, bool noflush) =>
        text.Append($"{_device.Name} {(_enabled ? "fail_read_on_bad_block" : "bypass")} {(_quiet ? "quiet" : "verbose")}");

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text) => text.Append($"{_device.Name} {_offset} {_blockSize}");

    /// <inheritdoc/>
    public override string? Message(IReadOnlyList<string> words)
    {
        string verb = words[0].ToLowerInvariant();
        switch (words.Count, verb)
        {
            case (1, "enable"):
                _enabled = true;
                return null;
            case (1, "disable"):
                _enabled = false;
                return null;
            case (1, "quiet"):
                _quiet = !_quiet;
                return null;
            case (1, "countbadblocks"):
                return $"countbadblocks: {_bad.Count} badblock(s) found";
            case (1, "listbadblocks"):
                return _bad.IsEmpty ? "No blocks in badblocklist" : string.Concat(_bad.Keys.Order().Select(block => $"{block}\n"));
            case (1, "clearbadblocks"):
                return Clear() ? "dust_clear_badblocks: badblocks cleared" : "dust_clear_badblocks: no badblocks found";
            case (1, "addbadblock" or "removebadblock" or "queryblock"):
                throw Refuse($"{words[0]} needs the number of a block");
            case (2, "addbadblock"):
                Add(Block(words[1]), 0);
                return null;
            case (3, "addbadblock"):
                Add(Block(words[1]), Failures(words[2]));
                return null;
            case (2, "removebadblock"):
                Remove(Block(words[1]));
                return null;
            case (2, "queryblock"):
                ulong asked = Block(words[1]);
                return $"dust_query_block: block {asked} {(_bad.ContainsKey(asked) ? "found" : "not found")} in badblocklist";
            default:
                throw Refuse(
                    $"message: '{string.Join(' ', words)}' is not one of: addbadblock BLOCK [FAILURES], removebadblock BLOCK, queryblock BLOCK, "
                    + "countbadblocks, listbadblocks, clearbadblocks, enable, disable, quiet");
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas => [new(_device, _offset, Length)];

    /// <summary>As in the kernel, a device that cannot be opened is EINVAL, whatever the reason.</summary>
    private static DeviceReference Device(TargetArguments arguments)
    {
        try
        {
            return arguments.Device(0);
        }
        catch (DmException e) when (e.Errno != Errno.EINTR)
        {
            throw new DmException(Errno.EINVAL, e.Message, e);
        }
    }

    private MapResult MapRead(ulong block) => _bad.ContainsKey(block) ? MapResult.Kill : MapResult.Remapped;

    /// <summary>A write mends the block, unless it is one of those that still fail.</summary>
    private MapResult MapWrite(ulong block)
    {
        while (_bad.TryGetValue(block, out byte failures))
        {
            if (failures == 0 && _bad.TryRemove(new(block, failures)))
            {
                return MapResult.Remapped;
            }

            if (failures > 0 && _bad.TryUpdate(block, (byte)(failures - 1), failures))
            {
                return MapResult.Kill;
            }
        }

        return MapResult.Remapped;
    }

    private void Add(ulong block, byte failures)
    {
        if (!_bad.TryAdd(block, failures))
        {
            throw Refuse($"block {block} is bad already");
        }
    }

    private void Remove(ulong block)
    {
        if (!_bad.TryRemove(block, out _))
        {
            throw Refuse($"block {block} is not bad");
        }
    }

    private bool Clear()
    {
        bool any = !_bad.IsEmpty;
        _bad.Clear();
        return any;
    }

    /// <summary>Reads the number of a block; the one just past the end of the device below is taken too, as in the kernel.</summary>
    private ulong Block(string word)
    {
        ulong blocks = _device.Device.Size.Value / _block.Value;
        if (!KernelNumber.TryScan(word, out ulong block))
        {
            throw Refuse($"'{word}' is not the number of a block");
        }

        return block <= blocks ? block : throw Refuse($"block {block} lies beyond the device's {blocks} blocks");
    }

    private byte Failures(string word) =>
        KernelNumber.TryScan(word, out uint failures) && failures <= MostFailures
            ? (byte)failures
            : throw Refuse($"'{word}' is not a number of failures from 0 to {MostFailures}");

    private DmException Refuse(string reason) => new(Errno.EINVAL, $"{Type.Name}: {reason}");
}
