using System.Runtime.InteropServices;
using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Targets;

namespace DeviceMapper.Fuse.Tests;

/// <summary>Memory behind a mapped device, which outlives its tables, counts what it is asked, and can fail or hang.</summary>
internal sealed unsafe class TestDisk : IDisposable
{
    private readonly byte* _data = (byte*)NativeMemory.AllocZeroed(Capacity);

    public const int Capacity = 64 << 20;

    public int Flushes;
    public int DurableWrites;
    public int WritesOfZeroes;
    public int KeepingZeroes;
    public bool ZeroesSupported = true;
    public uint LogicalBlockSize = 512;
    public volatile BioStatus Fails;

    /// <summary>While it is reset, bios wait in it, on their thread.</summary>
    public ManualResetEventSlim Answers { get; } = new(true);

    public Span<byte> Data => new(_data, Capacity);

    public BioStatus Do(Bio bio)
    {
        Answers.Wait();
        if (Fails != BioStatus.Ok)
        {
            return Fails;
        }

        Span<byte> range = Data.Slice((int)bio.Sector.Bytes, (int)bio.Count.Bytes);
        switch (bio.Operation)
        {
            case BioOperation.Read:
                bio.Buffer.CopyFrom(range);
                break;
            case BioOperation.Write:
                bio.Buffer.CopyTo(range);
                Count(ref DurableWrites, (bio.Flags & BioFlags.Fua) != 0);
                break;
            case BioOperation.Flush:
                Interlocked.Increment(ref Flushes);
                break;
            case BioOperation.WriteZeroes:
                range.Clear();
                Interlocked.Increment(ref WritesOfZeroes);
                Count(ref KeepingZeroes, (bio.Flags & BioFlags.NoUnmap) != 0);
                break;
            default:
                return BioStatus.Unsupported;
        }

        return BioStatus.Ok;
    }

    public void Dispose()
    {
        Answers.Set();
        NativeMemory.Free(_data);
    }

    private static void Count(ref int counter, bool one) => Interlocked.Add(ref counter, one ? 1 : 0);
}

/// <summary>The target <c>disk NAME</c>.</summary>
internal sealed class TestDiskTarget : Target
{
    private readonly TestDisk _disk;
    private readonly string _name;

    public TestDiskTarget(TargetArguments arguments, TestDisk disk)
        : base(arguments)
    {
        _disk = disk;
        _name = arguments[0];
        FlushBios = 1;
        FlushSupported = true;
        WriteZeroesBios = disk.ZeroesSupported ? 1 : 0;
    }

    public override MapResult Map(Bio bio)
    {
        bio.End(_disk.Do(bio));
        return MapResult.Submitted;
    }

    public override void AppendTable(StringBuilder text) => text.Append(_name);

    public override QueueLimits AdjustLimits(QueueLimits limits) => limits with
    {
        LogicalBlockSize = _disk.LogicalBlockSize,
        PhysicalBlockSize = _disk.LogicalBlockSize,
        IoMin = _disk.LogicalBlockSize,
        MaxWriteZeroes = _disk.ZeroesSupported ? new SectorCount(uint.MaxValue) : SectorCount.Zero,
    };
}
