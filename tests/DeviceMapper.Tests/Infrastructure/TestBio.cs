using DeviceMapper.Io;

namespace DeviceMapper.Tests.Infrastructure;

/// <summary>A bio of a test's: submits it, waits for it, and sees that it ends once.</summary>
public sealed class TestBio : IBioCompletion
{
    private readonly TaskCompletionSource<BioStatus> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte[] _memory; // pinned
    private int _ends;

    private TestBio(byte[] memory) => _memory = memory;

    /// <summary>Called as soon as it has ended, on the thread that ended it.</summary>
    public Action<TestBio>? WhenEnded { get; set; }

    /// <summary>Whether it has ended.</summary>
    public bool Ended => Volatile.Read(ref _ends) > 0;

    /// <summary>How it ended; null as long as it has not.</summary>
    public BioStatus? Status => _ended.Task.IsCompleted ? _ended.Task.Result : null;

    /// <summary>Its memory: what was read.</summary>
    public byte[] Data => _memory;

    /// <summary>Reads, and waits.</summary>
    public static BioStatus Read(BlockDevice device, ulong sector, Span<byte> data, BioFlags flags = BioFlags.None)
    {
        TestBio bio = Submit(device, BioOperation.Read, sector, (ulong)data.Length / Sector.Size, default, flags);
        BioStatus status = bio.Wait();
        bio.Data.CopyTo(data);
        return status;
    }

    /// <summary>Reads what must be readable.</summary>
    public static byte[] Read(BlockDevice device, ulong sector, ulong count)
    {
        byte[] data = new byte[count * Sector.Size];
        Assert.Equal(BioStatus.Ok, Read(device, sector, data));
        return data;
    }

    /// <summary>Writes, and waits.</summary>
    public static BioStatus Write(BlockDevice device, ulong sector, ReadOnlySpan<byte> data, BioFlags flags = BioFlags.None) =>
        Submit(device, BioOperation.Write, sector, (ulong)data.Length / Sector.Size, data, flags).Wait();

    /// <summary>Flushes, and waits.</summary>
    public static BioStatus Flush(BlockDevice device) => Submit(device, BioOperation.Flush, 0, 0).Wait();

    /// <summary>Does something without data, and waits.</summary>
    public static BioStatus Do(BlockDevice device, BioOperation operation, ulong sector, ulong count, BioFlags flags = BioFlags.None) =>
        Submit(device, operation, sector, count, default, flags).Wait();

    /// <summary>Submits one.</summary>
    /// <param name="device">Where to.</param>
    /// <param name="operation">What.</param>
    /// <param name="sector">Its first sector.</param>
    /// <param name="count">Its sectors.</param>
    /// <param name="data">What a write writes; zeroes if empty.</param>
    /// <param name="flags">How.</param>
    /// <param name="pieces">Cuts the memory of a read or write into segments of these lengths, in sectors.</param>
    /// <param name="whenEnded">As <see cref="WhenEnded"/>.</param>
    public static TestBio Submit(
        BlockDevice device,
        BioOperation operation,
        ulong sector,
        ulong count,
        ReadOnlySpan<byte> data = default,
        BioFlags flags = BioFlags.None,
        IReadOnlyList<int>? pieces = null,
        Action<TestBio>? whenEnded = null)
    {
        bool hasData = operation is BioOperation.Read or BioOperation.Write;
        TestBio test = new(GC.AllocateArray<byte>(hasData ? (int)(count * Sector.Size) : 0, pinned: true)) { WhenEnded = whenEnded };
        data.CopyTo(test._memory);
        Bio bio = Bio.Rent();
        bio.Device = device;
        bio.Operation = operation;
        bio.Sector = new Sector(sector);
        bio.Count = new SectorCount(count);
        bio.Flags = flags;
        bio.Context = test;
        bio.Buffer = hasData ? BufferOf(test._memory, pieces) : default;
        bio.Submit(test);
        return test;
    }

    /// <summary>Waits for its end.</summary>
    public BioStatus Wait() => _ended.Task.IsCompleted ? _ended.Task.Result : Infrastructure.Wait.For(_ended.Task, "a bio's end");

    /// <inheritdoc/>
    public void BioEnded(Bio bio)
    {
        Assert.Equal(1, Interlocked.Increment(ref _ends));
        Assert.Same(this, bio.Context); // the submitter's own word is untouched
        BioStatus status = bio.Status;
        bio.Return();
        WhenEnded?.Invoke(this);
        _ended.SetResult(status);
    }

    /// <summary>Pinned memory as a bio takes it.</summary>
    public static unsafe BioBuffer BufferOf(byte[] pinned, IReadOnlyList<int>? pieces = null)
    {
        nint address = (nint)System.Runtime.CompilerServices.Unsafe.AsPointer(ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(pinned));
        if (pieces is null)
        {
            return new BioBuffer(address, pinned.Length);
        }

        List<BufferSegment> segments = [];
        foreach (int sectors in pieces)
        {
            segments.Add(new BufferSegment(address, sectors * Sector.Size));
            address += sectors * Sector.Size;
        }

        return new BioBuffer([.. segments]);
    }
}
