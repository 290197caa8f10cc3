using DeviceMapper.Io;

namespace DeviceMapper.Tests.Infrastructure;

/// <summary>
/// Random I/O on a run of sectors that nobody else writes, checked against an array of bytes. Sizes, alignments and the pieces of
/// the memory are random; memory of ended bios is watched for late touches.
/// </summary>
public sealed class VerifiedIo
{
    private const byte Untouched = 0xEE;
    private const byte Undefined = 1; // what was discarded reads as anything
    private readonly BlockDevice _device;
    private readonly ulong _start;
    private readonly ulong _count;
    private readonly byte[] _model;
    private readonly byte[] _kinds; // per sector
    private readonly Random _random;
    private readonly Queue<byte[]> _ended = []; // memory of bios that have ended: must stay as it is
    private readonly uint _block; // sectors

    /// <summary>Starts from what is on the device now.</summary>
    public VerifiedIo(BlockDevice device, ulong start, ulong count, int seed)
    {
        _device = device;
        _start = start;
        _count = count;
        _random = new Random(seed);
        _block = device.Limits.LogicalBlockSize / Sector.Size;
        _kinds = new byte[count];
        _model = TestBio.Read(device, start, count);
    }

    /// <summary>Bios done.</summary>
    public int Done { get; private set; }

    /// <summary>The largest bio, in sectors.</summary>
    public int Largest { get; init; } = 64;

    /// <summary>Whether there are operations other than reads, writes and flushes, where the device takes them.</summary>
    public bool Discards { get; init; } = true;

    /// <summary>Whether nothing is written.</summary>
    public bool OnlyReads { get; init; }

    /// <summary>Does one bio and checks what it did.</summary>
    public void Step()
    {
        int kind = OnlyReads ? 0 : _random.Next(16);
        int count = (int)(_block * (1 + (uint)_random.Next(Math.Max(1, (int)(Math.Min((ulong)Largest, _count) / _block)))));
        ulong at = _block * ((ulong)_random.NextInt64((long)(_count - (ulong)count + 1)) / _block); // of the run
        switch (kind)
        {
            case < 7:
                Read(at, count);
                break;
            case < 13:
                Write(at, count, kind == 12 ? BioFlags.Fua : BioFlags.None);
                break;
            case 13:
                Assert.Equal(BioStatus.Ok, TestBio.Flush(_device));
                break;
            case 14:
                Discard(at, count);
                break;
            default:
                WriteZeroes(at, count);
                break;
        }

        Done++;
    }

    /// <summary>Reads all of it and checks it.</summary>
    public void CheckAll()
    {
        for (ulong at = 0; at < _count; at += (ulong)Largest)
        {
            Read(at, (int)Math.Min((ulong)Largest, _count - at));
        }

        while (_ended.TryDequeue(out byte[]? memory))
        {
            CheckUntouched(memory);
        }
    }

    private void Read(ulong at, int count)
    {
        TestBio bio = TestBio.Submit(_device, BioOperation.Read, _start + at, (ulong)count, pieces: Pieces(count));
        Assert.Equal(BioStatus.Ok, bio.Wait());
        for (int i = 0; i < count; i++)
        {
            int sector = (int)at + i;
            if (_kinds[sector] != Undefined && !bio.Data.AsSpan(i * Sector.Size, Sector.Size).SequenceEqual(Model(sector, 1)))
            {
                Assert.Fail($"sector {_start + (ulong)sector} (in a read of {count} from {_start + at}, after {Done} bios) is not what was written");
            }
        }

        Watch(bio.Data);
    }

    private void Write(ulong at, int count, BioFlags flags)
    {
        byte[] data = new byte[count * Sector.Size];
        _random.NextBytes(data);
        TestBio bio = TestBio.Submit(_device, BioOperation.Write, _start + at, (ulong)count, data, flags, Pieces(count));
        Assert.Equal(BioStatus.Ok, bio.Wait());
        data.CopyTo(Model((int)at, count));
        _kinds.AsSpan((int)at, count).Clear();
        Watch(bio.Data);
    }

    private void Discard(ulong at, int count)
    {
        if (Discards && _device.Limits.MaxDiscard.Value > 0)
        {
            Assert.Equal(BioStatus.Ok, TestBio.Do(_device, BioOperation.Discard, _start + at, (ulong)count));
            _kinds.AsSpan((int)at, count).Fill(Undefined);
        }
    }

    private void WriteZeroes(ulong at, int count)
    {
        if (Discards && _device.Limits.MaxWriteZeroes.Value > 0)
        {
            Assert.Equal(BioStatus.Ok, TestBio.Do(_device, BioOperation.WriteZeroes, _start + at, (ulong)count));
            Model((int)at, count).Clear();
            _kinds.AsSpan((int)at, count).Clear();
        }
    }

    private Span<byte> Model(int sector, int count) => _model.AsSpan(sector * Sector.Size, count * Sector.Size);

    /// <summary>Cuts at random places, or not at all.</summary>
    private List<int>? Pieces(int count)
    {
        if (count == 1 || _random.Next(3) > 0)
        {
            return null;
        }

        List<int> pieces = [];
        for (int left = count; left > 0; left -= pieces[^1])
        {
            pieces.Add(_random.Next(1, left + 1));
        }

        return pieces;
    }

    private void Watch(byte[] memory)
    {
        memory.AsSpan().Fill(Untouched);
        _ended.Enqueue(memory);
        if (_ended.Count > 16)
        {
            CheckUntouched(_ended.Dequeue());
        }
    }

    private static void CheckUntouched(byte[] memory) =>
        Assert.True(memory.AsSpan().IndexOfAnyExcept(Untouched) < 0, "the memory of a bio was touched after its end");
}
