using System.Runtime.InteropServices;
using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Targets;

namespace DeviceMapper.Nbd.Tests;

/// <summary>
/// Memory behind a mapped device, which outlives its tables, counts what it is asked, and can fail, hang, or answer on other threads.
/// </summary>
internal sealed unsafe class TestDisk : IDisposable
{
    private readonly byte* _data = (byte*)NativeMemory.AllocZeroed(Capacity);
    private readonly Lock _lock = new();
    private readonly List<Bio> _held = [];

    public const int Capacity = 256 << 20;

    public int Flushes;
    public int DurableWrites;
    public int Discards;
    public int WritesOfZeroes;
    public int KeepingZeroes;
    public int Reads;
    public bool ZeroesSupported = true;
    public bool DiscardsSupported = true;
    public uint LogicalBlockSize = 512;

    /// <summary>Sectors of which reads and writes fail.</summary>
    public volatile HashSet<ulong> Bad = [];

    public volatile BioStatus Fails;

    /// <summary>Bios end on threads of the pool, in any order.</summary>
    public volatile bool Asynchronous;

    /// <summary>Bios are kept until <see cref="Release"/>.</summary>
    public volatile bool Holds;

    /// <summary>Ranges that the disk says are holes, in sectors.</summary>
    public (ulong Start, ulong End)? Hole;

    public Span<byte> Data => new(_data, Capacity);

    public int Held
    {
        get
        {
            lock (_lock)
            {
                return _held.Count;
            }
        }
    }

    public void Take(Bio bio)
    {
        if (Holds)
        {
            lock (_lock)
            {
                _held.Add(bio);
                return;
            }
        }

        if (Asynchronous)
        {
            ThreadPool.UnsafeQueueUserWorkItem(held => held.End(Do(held)), bio, preferLocal: false);
        }
        else
        {
            bio.End(Do(bio));
        }
    }

    /// <summary>Ends all bios that are kept, last first, and keeps no more.</summary>
    public void Release()
    {
        Holds = false;
        Bio[] held;
        lock (_lock)
        {
            held = [.. _held];
            _held.Clear();
        }

        foreach (Bio bio in held.Reverse())
        {
            bio.End(Do(bio));
        }
    }

    public void Dispose()
    {
        Release();
        NativeMemory.Free(_data);
    }

    private BioStatus Do(Bio bio)
    {
        if (Fails != BioStatus.Ok)
        {
            return Fails;
        }

        for (ulong sector = bio.Sector.Value; Bad.Count > 0 && bio.HasData && sector < bio.EndSector.Value; sector++)
        {
            if (Bad.Contains(sector))
            {
                return BioStatus.Medium;
            }
        }

        Span<byte> range = Data.Slice((int)bio.Sector.Bytes, (int)bio.Count.Bytes);
        switch (bio.Operation)
        {
            case BioOperation.Read:
                bio.Buffer.CopyFrom(range);
                Interlocked.Increment(ref Reads);
                break;
            case BioOperation.Write:
                bio.Buffer.CopyTo(range);
                Count(ref DurableWrites, (bio.Flags & BioFlags.Fua) != 0);
                break;
            case BioOperation.Flush:
                Interlocked.Increment(ref Flushes);
                break;
            case BioOperation.Discard:
                Interlocked.Increment(ref Discards);
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
        DiscardBios = disk.DiscardsSupported ? 1 : 0;
        DiscardsSupported = disk.DiscardsSupported;
    }

    public override MapResult Map(Bio bio)
    {
        _disk.Take(bio);
        return MapResult.Submitted;
    }

    public override (SectorCount Length, bool Hole) ExtentAt(Sector start, SectorCount length)
    {
        if (_disk.Hole is not { } hole || start.Value >= hole.End)
        {
            return (length, false);
        }

        return start.Value < hole.Start
            ? (SectorCount.Min(length, new SectorCount(hole.Start - start.Value)), false)
            : (SectorCount.Min(length, new SectorCount(hole.End - start.Value)), true);
    }

    public override void AppendTable(StringBuilder text) => text.Append(_name);

    public override QueueLimits AdjustLimits(QueueLimits limits) => limits with
    {
        LogicalBlockSize = _disk.LogicalBlockSize,
        PhysicalBlockSize = _disk.LogicalBlockSize,
        IoMin = _disk.LogicalBlockSize,
        MaxWriteZeroes = _disk.ZeroesSupported ? new SectorCount(uint.MaxValue) : SectorCount.Zero,
        MaxDiscard = _disk.DiscardsSupported ? new SectorCount(uint.MaxValue) : SectorCount.Zero,
        DiscardGranularity = _disk.DiscardsSupported ? 512u : 0,
    };
}
