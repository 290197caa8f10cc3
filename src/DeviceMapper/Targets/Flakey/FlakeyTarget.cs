using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Flakey;

/// <summary>
/// A device that works for some seconds, then fails, drops or corrupts I/O for some seconds, in turn:
/// <c>flakey &lt;dev_path&gt; &lt;offset&gt; &lt;up interval&gt; &lt;down interval&gt; [&lt;#feature args&gt; [&lt;feature&gt;...]]</c>
/// (drivers/md/dm-flakey.c).
/// </summary>
public sealed class FlakeyTarget : Target
{
    private const double WholeProbability = 1_000_000_000; // probabilities are given in billionths

    private readonly DeviceReference _device;
    private readonly Sector _offset;
    private readonly uint _up; // seconds
    private readonly uint _down; // seconds
    private readonly FlakeyFeatures _features;
    private readonly TimeProvider _time;
    private readonly long _created; // in the clock's ticks

    /// <summary>Takes the device, where its part begins, the intervals in seconds, and the features of the down time.</summary>
    public FlakeyTarget(TargetArguments arguments)
        : base(arguments)
    {
        arguments.Expect(4, int.MaxValue);
        _time = Table.Owner.Registry.Options.Time;
        _created = _time.GetTimestamp();
        _offset = arguments.Sector(1, "offset");
        _up = arguments.Number32(2, "up interval", "a number of seconds");
        _down = arguments.Number32(3, "down interval", "a number of seconds");
        if (unchecked(_up + _down) == 0)
        {
            throw arguments.Refuse("the up and the down interval are both 0 seconds");
        }

        if (unchecked(_up + _down) < _up)
        {
            throw arguments.Refuse($"the intervals of {_up} and {_down} seconds are together more than {uint.MaxValue}");
        }

        _features = FlakeyFeatures.Parse(arguments, 4);
        _device = arguments.Device(0);
        FlushBios = 1;
        DiscardBios = 1;
        WantsEnd = _features.CorruptsReads || _features.CorruptsWrites;
    }

    /// <summary>The type <c>flakey</c>.</summary>
    public static TargetType Definition { get; } = new(
        "flakey",
        new(1, 5, 0),
        "<dev_path> <offset> <up interval> <down interval> [<#feature args> [<feature>...]]",
        TargetFeatures.None,
        arguments => new FlakeyTarget(arguments));

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        bio.Context = null;
        bio.ContextValue = 0;
        if (IsDown)
        {
            if (bio.Operation == BioOperation.Read)
            {
                if (_features.ErrorReads)
                {
                    return MapResult.Kill;
                }

                bio.ContextValue = 1; // may be corrupted at its end, even if the device is up again then
            }
            else if (_features.DropWrites)
            {
                bio.End(BioStatus.Ok);
                return MapResult.Submitted;
            }
            else if (_features.ErrorWrites)
            {
                return MapResult.Kill;
            }
            else if (_features.CorruptsWrites && bio.Operation == BioOperation.Write)
            {
                CorruptWrite(bio);
            }
        }

        bio.Device = _device.Device;
        bio.Sector = _offset + OffsetOf(bio.Sector);
        return MapResult.Remapped;
    }

    /// <inheritdoc/>
    public override EndResult EndIo(Bio bio, ref BioStatus status)
    {
        if (bio.Context is BioMemory copy)
        {
            copy.Return();
        }
        else if (bio.ContextValue != 0 && status == BioStatus.Ok)
        {
            if (_features.Corrupts(bio, BioOperation.Read))
            {
                SetByte(bio.Buffer, _features.CorruptByte - 1, _features.CorruptValue);
            }

            if (HappensWith(_features.RandomReadCorrupt))
            {
                SetRandomByte(bio.Buffer);
            }
        }

        return EndResult.Done;
    }

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text)
    {
        text.Append($"{_device.Name} {_offset} {_up} {_down} ");
        _features.AppendTo(text);
    }

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas => [new(_device, _offset, Length)];

    /// <summary>Up first, counted in whole seconds from when the table was loaded.</summary>
    private bool IsDown => (ulong)_time.GetElapsedTime(_created).TotalSeconds % (_up + _down) >= _up;

    private static bool HappensWith(uint billionths) =>
        billionths != 0 && Random.Shared.NextDouble() * WholeProbability < billionths;

    /// <summary>Corrupts a copy: the writer's memory stays as it is.</summary>
    private void CorruptWrite(Bio bio)
    {
        bool fixedByte = _features.Corrupts(bio, BioOperation.Write);
        bool randomByte = HappensWith(_features.RandomWriteCorrupt);
        if (!fixedByte && !randomByte)
        {
            return;
        }

        BioMemory copy = BioMemory.Rent(bio.Buffer.Length);
        bio.Buffer.CopyTo(copy.Buffer);
        bio.Buffer = copy.Buffer;
        bio.Context = copy;
        if (fixedByte)
        {
            SetByte(bio.Buffer, _features.CorruptByte - 1, _features.CorruptValue);
        }

        if (randomByte)
        {
            SetRandomByte(bio.Buffer);
        }
    }

    private static void SetRandomByte(BioBuffer buffer) =>
        SetByte(buffer, (uint)Random.Shared.Next(buffer.Length), (byte)Random.Shared.Next(256));

    /// <summary>Sets a byte, if the buffer reaches so far.</summary>
    private static void SetByte(BioBuffer buffer, uint index, byte value)
    {
        if (index < (uint)buffer.Length)
        {
            buffer.Slice((int)index, 1).CopyFrom([value]);
        }
    }
}
