using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets;

/// <summary>
/// Spreads sectors over several devices, a chunk to each in turn:
/// <c>striped &lt;stripes&gt; &lt;chunk&gt; (&lt;device&gt; &lt;offset&gt;)...</c> (drivers/md/dm-stripe.c).
/// </summary>
public sealed class StripedTarget : Target
{
    private const int ErrorThreshold = 15; // errors of a stripe from which on no event is raised (DM_IO_ERROR_THRESHOLD)

    private readonly Stripe[] _stripes;
    private readonly ulong _chunk; // sectors
    private readonly ulong _width; // sectors on each stripe

    /// <summary>Takes the stripes; the target's length must be whole chunks on each.</summary>
    public StripedTarget(TargetArguments arguments)
        : base(arguments)
    {
        arguments.Expect(2, int.MaxValue);
        uint count = arguments.UInt32(0, "stripes", "a positive number of stripes", least: 1);
        _chunk = arguments.UInt32(1, "chunk size", "a positive number of sectors", least: 1);
        if (Length.Value % count != 0)
        {
            throw arguments.Refuse($"the length {Length} is not a multiple of the {count} stripes");
        }

        _width = Length.Value / count;
        if (_width % _chunk != 0)
        {
            throw arguments.Refuse($"the length of a stripe, {_width}, is not a multiple of the chunk size {_chunk}");
        }

        if (arguments.Count != 2 + (2L * count))
        {
            throw arguments.Refuse($"{count} devices with their offsets expected after the chunk size, {arguments.Count - 2} words given");
        }

        _stripes = new Stripe[count];
        for (int i = 0; i < _stripes.Length; i++)
        {
            Sector offset = arguments.Sector(3 + (2 * i), "offset");
            _stripes[i] = new Stripe(arguments.Device(2 + (2 * i)), offset);
        }

        MaxIo = new SectorCount(_chunk);
        FlushBios = DiscardBios = SecureEraseBios = WriteZeroesBios = _stripes.Length;
        FlushBypassesMap = true;
        WantsEnd = true;
    }

    /// <summary>The type <c>striped</c>.</summary>
    public static TargetType Definition { get; } = new(
        "striped",
        new(1, 6, 0),
        "<stripes> <chunk size> (<device> <offset>)...",
        TargetFeatures.PassesIntegrity | TargetFeatures.NoWait,
        arguments => new StripedTarget(arguments));

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        if (bio.Operation == BioOperation.Flush)
        {
            bio.Device = _stripes[bio.TargetBioNumber].Device.Device;
            return MapResult.Remapped;
        }

        if (!bio.HasData)
        {
            return MapShare(bio);
        }

        (int index, ulong sector) = Locate(OffsetOf(bio.Sector).Value);
        Send(bio, index, sector);
        return MapResult.Remapped;
    }

    /// <summary>Counts errors of stripes, by their device as the kernel does: stripes on one device share its errors.</summary>
    public override EndResult EndIo(Bio bio, ref BioStatus status)
    {
        if (status is BioStatus.Ok or BioStatus.Unsupported or BioStatus.Requeue or BioStatus.Again || (bio.Flags & BioFlags.ReadAhead) != 0)
        {
            return EndResult.Done;
        }

        bool tell = false;
        foreach (Stripe stripe in _stripes)
        {
            if (stripe.Device.Device == bio.Device)
            {
                tell |= Interlocked.Increment(ref stripe.Errors) < ErrorThreshold;
            }
        }

        if (tell)
        {
            Table.RaiseEvent();
        }

        return EndResult.Done;
    }

    /// <summary>Of one chunk: the next one is elsewhere.</summary>
    public override (SectorCount Length, bool Hole) ExtentAt(Sector start, SectorCount length)
    {
        (int index, ulong sector) = Locate(OffsetOf(start).Value);
        SectorCount room = SectorCount.Min(length, new SectorCount(_chunk - (sector % _chunk)));
        return _stripes[index].Device.ExtentAt(_stripes[index].Offset + new SectorCount(sector), room);
    }

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, bool noflush)
    {
        text.Append(_stripes.Length);
        foreach (Stripe stripe in _stripes)
        {
            text.Append(' ').Append(stripe.Device.Name);
        }

        text.Append(" 1 ");
        foreach (Stripe stripe in _stripes)
        {
            text.Append(Volatile.Read(ref stripe.Errors) > 0 ? 'D' : 'A');
        }
    }

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text)
    {
        text.Append($"{_stripes.Length} {_chunk}");
        foreach (Stripe stripe in _stripes)
        {
            text.Append($" {stripe.Device.Name} {stripe.Offset}");
        }
    }

    /// <inheritdoc/>
    public override void Measure(Measurement measurement)
    {
        measurement.Add("stripes", _stripes.Length).Add("chunk_size", _chunk);
        for (int i = 0; i < _stripes.Length; i++)
        {
            Stripe stripe = _stripes[i];
            measurement.Add($"stripe_{i}_device_name", stripe.Device.Name)
                .Add($"stripe_{i}_physical_start", stripe.Offset)
                .Add($"stripe_{i}_status", Volatile.Read(ref stripe.Errors) > 0 ? 'D' : 'A');
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas => _stripes.Select(s => new TargetArea(s.Device, s.Offset, new SectorCount(_width)));

    /// <inheritdoc/>
    public override QueueLimits AdjustLimits(QueueLimits limits) => limits with
    {
        IoMin = (uint)Math.Min(_chunk * Sector.Size, uint.MaxValue),
        IoOpt = (uint)Math.Min(_chunk * (ulong)_stripes.Length * Sector.Size, uint.MaxValue),
    };

    /// <summary>Cuts a discard or the like, of which each stripe gets a clone, to the one run of sectors that lies on its stripe.</summary>
    private MapResult MapShare(Bio bio)
    {
        int index = bio.TargetBioNumber;
        ulong begin = RoundTo(index, OffsetOf(bio.Sector).Value);
        ulong end = RoundTo(index, OffsetOf(bio.EndSector).Value);
        if (begin >= end)
        {
            bio.End(BioStatus.Ok); // the range is too short to reach this stripe
            return MapResult.Submitted;
        }

        bio.Count = new SectorCount(end - begin);
        Send(bio, index, begin);
        return MapResult.Remapped;
    }

    private void Send(Bio bio, int index, ulong sector)
    {
        Stripe stripe = _stripes[index];
        bio.Device = stripe.Device.Device;
        bio.Sector = stripe.Offset + new SectorCount(sector);
    }

    /// <summary>The stripe of a sector of the target, and the sector on that.</summary>
    private (int Stripe, ulong Sector) Locate(ulong offset)
    {
        (ulong chunk, ulong within) = Math.DivRem(offset, _chunk);
        (ulong row, ulong stripe) = Math.DivRem(chunk, (ulong)_stripes.Length);
        return ((int)stripe, (row * _chunk) + within);
    }

    /// <summary>The first sector on a stripe that lies at or behind a sector of the target.</summary>
    private ulong RoundTo(int stripe, ulong offset)
    {
        (int at, ulong sector) = Locate(offset);
        if (at == stripe)
        {
            return sector;
        }

        ulong rowStart = sector - (sector % _chunk);
        return stripe < at ? rowStart + _chunk : rowStart;
    }

    private sealed class Stripe(DeviceReference device, Sector offset)
    {
        public readonly DeviceReference Device = device;
        public readonly Sector Offset = offset;
        public int Errors;
    }
}
