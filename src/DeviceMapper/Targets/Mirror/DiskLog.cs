using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Mirror;

/// <summary>
/// A log on a device, <c>disk &lt;#words&gt; &lt;device&gt; &lt;region size&gt; [[no]sync]</c>: what was not written to when a machine went down need not be
/// copied again (drivers/md/dm-log.c).
/// </summary>
/// <remarks>
/// Little-endian: a header of 16 bytes (magic, version, number of regions), then from byte 1024 on a bit for each region, set where it is in sync and
/// not written to. The kernel writes all of it each time; this one the blocks that have changed.
/// </remarks>
internal sealed class DiskLog : DirtyLog
{
    private const uint Magic = 0x4D695272; // "MiRr"
    private const uint Version = 2; // 1 was the same, on a machine of this byte order
    private const int BitsOffset = 1024; // bytes

    private readonly DeviceReference _device;
    private readonly Func<bool> _flushLegs;
    private readonly Action _failed;
    private readonly byte[] _image; // as it is, or is to be, on the device
    private readonly int _blockSize; // bytes
    private int _from; // bytes of the image that have changed
    private int _to;
    private bool _marked; // since the last flush
    private bool _cleared;
    private bool _neverClean; // a flush of the legs failed: nobody knows which regions are equal
    private volatile bool _deviceFailed;
    private volatile bool _deviceFlushFailed;

    /// <summary>Takes the device, which must have room.</summary>
    /// <param name="arguments">The table's words.</param>
    /// <param name="refuse">Makes the refusal of a device that is too small.</param>
    /// <param name="flushLegs">Makes durable what is on the legs; false where that failed.</param>
    /// <param name="failed">Called when the device fails for the first time.</param>
    public DiskLog(LogArguments arguments, Func<string, DmException> refuse, Func<bool> flushLegs, Action failed)
        : base(arguments)
    {
        _device = arguments.Device!;
        _flushLegs = flushLegs;
        _failed = failed;
        _blockSize = (int)_device.Device.Limits.LogicalBlockSize;
        ulong length = BitsOffset + (((ulong)RegionCount + 63) / 64 * 8);
        length = (length + (ulong)_blockSize - 1) / (ulong)_blockSize * (ulong)_blockSize;
        if (length > _device.Device.Size.Bytes)
        {
            throw refuse($"is too small for a log of {RegionCount} regions, which needs {length} bytes");
        }

        _image = new byte[length];
    }

    /// <inheritdoc/>
    public override bool IsDurable => true;

    private Span<ulong> Bits => MemoryMarshal.Cast<byte, ulong>(_image.AsSpan(BitsOffset, (RegionCount + 63) / 64 * 8));

    /// <summary>Reads the log, and writes it with the regions that there are now. A log that cannot be read knows of no region that is in sync.</summary>
    public override void Resume()
    {
        base.Resume();
        ulong known = ReadHeader();
        Span<ulong> bits = Bits;
        for (int region = (int)Math.Min(known, (ulong)RegionCount); region < RegionCount; region++)
        {
            Set(bits, region, SyncWord == LogSync.NoSync);
        }

        for (int region = RegionCount; region % 64 != 0; region++)
        {
            Set(bits, region, false);
        }

        SetAllInSync(bits);
        BinaryPrimitives.WriteUInt64LittleEndian(_image.AsSpan(8), (ulong)RegionCount);
        (_from, _to) = (0, _image.Length);
        if (!Write())
        {
            return;
        }

        FlushDevice();
    }

    /// <inheritdoc/>
    public override void Mark(int region)
    {
        if ((Bits[region >> 6] >> (region & 63) & 1) != 0)
        {
            Set(Bits, region, false);
            Changed(region);
            _marked = true;
        }
    }

    /// <inheritdoc/>
    public override void Clear(int region)
    {
        if (!_neverClean)
        {
            Set(Bits, region, true);
            Changed(region);
            _cleared = true;
        }
    }

    /// <summary>Regions are clean only when what is on the legs is durable, and marks when they are on the medium.</summary>
    public override bool Flush()
    {
        if (!_marked && !_cleared)
        {
            return true;
        }

        if (_cleared && !_flushLegs())
        {
            _neverClean = true;
            Bits.Clear();
            (_from, _to) = (BitsOffset, _image.Length);
        }

        if (!Write())
        {
            return false;
        }

        _cleared = false;
        if (_marked && !FlushDevice())
        {
            return false;
        }

        _marked = false;
        (_from, _to) = (0, 0);
        return true;
    }

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text) =>
        text.Append($"3 disk {_device.Name} {(_deviceFlushFailed ? 'F' : _deviceFailed ? 'D' : 'A')}");

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text)
    {
        text.Append($"disk {(SyncWord == LogSync.Default ? 2 : 3)} {_device.Name} ");
        AppendRegions(text);
    }

    /// <returns>How many regions the log knows of.</returns>
    private ulong ReadHeader()
    {
        BioMemory memory = BioMemory.Rent(_image.Length);
        bool read = BlockingIo.Read(_device.Device, default, memory.Buffer) == BioStatus.Ok;
        if (read)
        {
            memory.Buffer.CopyTo(_image);
        }

        memory.Return();
        Span<byte> version = _image.AsSpan(4, 4);
        ulong known = read ? BinaryPrimitives.ReadUInt64LittleEndian(_image.AsSpan(8)) : 0;
        if (!read || SyncWord != LogSync.Default || BinaryPrimitives.ReadUInt32LittleEndian(_image) != Magic)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_image, Magic);
            BinaryPrimitives.WriteUInt32LittleEndian(version, Version);
            known = 0;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(version) == 1)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(version, Version);
        }

        if (!read || BinaryPrimitives.ReadUInt32LittleEndian(version) != Version)
        {
            Fail();
            known = 0;
        }

        return known;
    }

    private static void Set(Span<ulong> bits, int region, bool value)
    {
        ulong bit = 1UL << (region & 63);
        bits[region >> 6] = value ? bits[region >> 6] | bit : bits[region >> 6] & ~bit;
    }

    private void Changed(int region)
    {
        int at = BitsOffset + (region >> 3);
        _from = _to == 0 ? at : Math.Min(_from, at);
        _to = Math.Max(_to, at + 1);
    }

    private bool Write()
    {
        int from = _from / _blockSize * _blockSize;
        int length = ((_to + _blockSize - 1) / _blockSize * _blockSize) - from;
        BioMemory memory = BioMemory.Rent(length);
        memory.Buffer.CopyFrom(_image.AsSpan(from, length));
        bool written = BlockingIo.Write(_device.Device, new Sector((ulong)from >> Sector.Shift), memory.Buffer) == BioStatus.Ok;
        memory.Return();
        if (!written)
        {
            Fail();
        }

        return written;
    }

    private bool FlushDevice()
    {
        if (BlockingIo.Flush(_device.Device) == BioStatus.Ok)
        {
            return true;
        }

        _deviceFlushFailed = true;
        Fail();
        return false;
    }

    private void Fail()
    {
        if (!_deviceFailed)
        {
            _deviceFailed = true;
            _failed();
        }
    }
}
