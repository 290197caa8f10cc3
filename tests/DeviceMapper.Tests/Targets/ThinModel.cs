using System.Buffers.Binary;
using DeviceMapper.Mapping;

namespace DeviceMapper.Tests.Targets;

/// <summary>What each sector of a volume may hold: the number that was flushed, and those that were written since.</summary>
internal sealed class ThinModel
{
    /// <summary>Sectors of a volume.</summary>
    public const int Sectors = 1024;

    private const ulong Anything = ulong.MaxValue;
    private static long _numbers;
    private readonly List<ulong>?[] _allowed = new List<ulong>?[Sectors]; // the last one is what it holds; null: anything
    private readonly bool[] _doubtful = new bool[Sectors]; // the last write failed: a flush makes none of them certain

    public ThinModel() => Array.Fill(_allowed, [0]);

    public MappedDevice? Device { get; set; }

    /// <summary>Makes what is about to be written: each sector is full of a number of its own.</summary>
    public byte[] Write(int at, int count)
    {
        byte[] data = new byte[count * 512];
        for (int i = 0; i < count; i++)
        {
            ulong number = (ulong)Interlocked.Increment(ref _numbers);
            for (int word = 0; word < 512; word += 8)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan((i * 512) + word), number);
            }

            _allowed[at + i] = _allowed[at + i] is { } before ? [.. before, number] : [Anything, number];
            _doubtful[at + i] = false;
        }

        return data;
    }

    /// <summary>The last write of sectors failed: it may be there or not.</summary>
    public void Failed(int at, int count) => Array.Fill(_doubtful, true, at, count);

    public void Discard(int at, int count) => Array.Fill(_allowed, null, at, count);

    public void Flushed(int at = 0, int count = Sectors)
    {
        for (int i = at; i < at + count; i++)
        {
            _allowed[i] = _allowed[i] is { } written && !_doubtful[i] ? [written[^1]] : _allowed[i];
        }
    }

    public ThinModel Snapshot()
    {
        Flushed();
        ThinModel model = new();
        _allowed.CopyTo(model._allowed, 0);
        _doubtful.CopyTo(model._doubtful, 0);
        return model;
    }

    public void Check(byte[] data, string volume, int at = 0)
    {
        for (int i = 0; i < data.Length / 512; i++)
        {
            if (_allowed[at + i] is { } allowed && !allowed.Contains(Anything))
            {
                ulong there = BinaryPrimitives.ReadUInt64LittleEndian(data.AsSpan(i * 512));
                Assert.True(allowed.Contains(there), $"volume {volume}, sector {at + i}: {there} is there, not {string.Join(" or ", allowed)}");
            }
        }
    }
}
