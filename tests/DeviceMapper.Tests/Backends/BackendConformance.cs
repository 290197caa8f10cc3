using System.Runtime.InteropServices;
using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Backends;

/// <summary>What every backend keeps. Its tests inherit this, and give it the word of a device of <see cref="Sectors"/> zeroed sectors.</summary>
public abstract class BackendConformance : IDisposable
{
    private OpenedWord? _opened;

    /// <summary>The size of the device: 4 MiB.</summary>
    protected const int Sectors = 8192;

    /// <summary>Where words are found.</summary>
    protected DeviceRegistry Registry { get; } = new();

    /// <summary>The word of the device.</summary>
    protected abstract string Word { get; }

    /// <summary>Whether the data is there again after the last close.</summary>
    protected virtual bool Persists => true;

    /// <summary>The open device.</summary>
    protected Backend Backend => (_opened ??= new OpenedWord(Registry, Word)).Device;

    /// <summary>Where its I/O goes.</summary>
    protected BlockDevice Device => Backend.Target;

    public void Dispose()
    {
        Close();
        Registry.Dispose();
        CleanUp();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Has_the_size_of_its_device() => Assert.Equal((ulong)Sectors, Device.Size.Value);

    [Fact]
    public void Reads_zeroes_where_nothing_was_written()
    {
        byte[] data = TestBio.Read(Device, 16, 64);
        Assert.True(data.AsSpan().IndexOfAnyExcept((byte)0) < 0);
    }

    [Fact]
    public void Random_io_gives_what_a_model_gives()
    {
        VerifiedIo io = new(Device, 0, Sectors, seed: 1) { Largest = 512 };
        for (int i = 0; i < 400; i++)
        {
            io.Step();
        }

        io.CheckAll();
    }

    [Fact]
    public void Threads_on_ranges_of_their_own_do_not_disturb_each_other()
    {
        const int Count = 4;
        _ = Device;
        Threads.Run(Count, i =>
        {
            VerifiedIo io = new(Device, (ulong)(i * Sectors / Count), Sectors / Count, seed: i);
            for (int step = 0; step < 150; step++)
            {
                io.Step();
            }

            io.CheckAll();
        });
    }

    [Fact]
    public void The_whole_device_goes_in_one_bio()
    {
        byte[] data = Pattern(1, Sectors);
        Assert.Equal(BioStatus.Ok, TestBio.Write(Device, 0, data));
        Assert.Equal(data, TestBio.Read(Device, 0, Sectors));
    }

    [Fact]
    public void The_last_sector_is_there_and_the_next_is_not()
    {
        byte[] data = Pattern(1, 8);
        Assert.Equal(BioStatus.Ok, TestBio.Write(Device, Sectors - 8, data));
        byte[] read = new byte[16 * Sector.Size];
        Assert.Equal(BioStatus.IoError, TestBio.Read(Device, Sectors, read));
        Assert.Equal(BioStatus.IoError, TestBio.Read(Device, Sectors - 8, read));
        Assert.Equal(BioStatus.IoError, TestBio.Read(Device, ulong.MaxValue >> Sector.Shift, read));
        Assert.Equal(BioStatus.IoError, TestBio.Write(Device, Sectors - 8, read));
        Assert.Equal(BioStatus.IoError, TestBio.Write(Device, Sectors, read));
        Assert.Equal(BioStatus.IoError, TestBio.Do(Device, BioOperation.Discard, Sectors - 8, 16));
        Assert.Equal(BioStatus.IoError, TestBio.Do(Device, BioOperation.WriteZeroes, Sectors - 8, 16));
        Assert.Equal(data, TestBio.Read(Device, Sectors - 8, 8)); // what does not fit is not begun
        Assert.Equal((ulong)Sectors, Device.Size.Value);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(4095)]
    public unsafe void Memory_may_lie_anywhere(int misalignment)
    {
        byte[] data = Pattern(misalignment, 24);
        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)(data.Length + misalignment), 4096);
        try
        {
            BioBuffer buffer = new((nint)memory + misalignment, data.Length);
            data.CopyTo(buffer.Span);
            Assert.Equal(BioStatus.Ok, Do(BioOperation.Write, 8, buffer));
            buffer.Clear();
            Assert.Equal(BioStatus.Ok, Do(BioOperation.Read, 8, buffer));
            Assert.Equal(data, buffer.Span);
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }

    [Fact]
    public void Memory_may_lie_in_more_pieces_than_a_system_call_takes()
    {
        byte[] data = Pattern(1, 304);
        int[] pieces = [.. Enumerable.Repeat(1, 304)];
        Assert.Equal(BioStatus.Ok, TestBio.Submit(Device, BioOperation.Write, 0, 304, data, pieces: pieces).Wait());
        TestBio read = TestBio.Submit(Device, BioOperation.Read, 0, 304, pieces: pieces);
        Assert.Equal(BioStatus.Ok, read.Wait());
        Assert.Equal(data, read.Data);
    }

    [Fact]
    public void Flushes_and_durable_writes_succeed()
    {
        byte[] data = Pattern(1, 8);
        Assert.Equal(BioStatus.Ok, TestBio.Write(Device, 8, data, BioFlags.Fua));
        Assert.Equal(BioStatus.Ok, TestBio.Flush(Device));
        Assert.Equal(data, TestBio.Read(Device, 8, 8));
    }

    [Theory]
    [InlineData(BioFlags.None)]
    [InlineData(BioFlags.NoUnmap)]
    [InlineData(BioFlags.Fua)]
    public void Zeroed_sectors_read_as_zeroes_and_their_neighbours_do_not(BioFlags flags)
    {
        byte[] data = Pattern(1, 64);
        ulong block = Device.Limits.LogicalBlockSize / Sector.Size;
        foreach ((ulong start, ulong count) in new[] { (block, block), (3 * block, 30ul / block * block), (8ul, 24ul), (0ul, 64ul) })
        {
            Assert.Equal(BioStatus.Ok, TestBio.Write(Device, 64, data));
            Assert.Equal(BioStatus.Ok, TestBio.Do(Device, BioOperation.WriteZeroes, 64 + start, count, flags));
            byte[] expected = [.. data];
            expected.AsSpan((int)start * Sector.Size, (int)count * Sector.Size).Clear();
            Assert.Equal(expected, TestBio.Read(Device, 64, 64));
        }
    }

    [Fact]
    public void A_discard_leaves_the_neighbours_alone()
    {
        byte[] data = Pattern(1, 64);
        Assert.True(Device.Limits.MaxDiscard.Value > 0);
        Assert.Equal(BioStatus.Ok, TestBio.Write(Device, 64, data));
        Assert.Equal(BioStatus.Ok, TestBio.Do(Device, BioOperation.Discard, 72, 40));
        byte[] read = TestBio.Read(Device, 64, 64);
        Assert.Equal(data[..(8 * Sector.Size)], read[..(8 * Sector.Size)]);
        Assert.Equal(data[(48 * Sector.Size)..], read[(48 * Sector.Size)..]);
    }

    [Fact]
    public void A_secure_erase_is_refused_by_who_cannot() =>
        Assert.Equal(
            Device.Limits.MaxSecureErase == SectorCount.Zero ? BioStatus.Unsupported : BioStatus.Ok,
            TestBio.Do(Device, BioOperation.SecureErase, 0, 8));

    [Fact]
    public void A_bio_that_must_not_wait_is_done_rightly_or_refused()
    {
        byte[] data = Pattern(1, 8);
        BioStatus write = TestBio.Write(Device, 0, data, BioFlags.NoWait);
        Assert.True(write is BioStatus.Ok or BioStatus.Again, $"{write}");
        Assert.Equal(BioStatus.Ok, TestBio.Write(Device, 0, data));
        byte[] read = new byte[data.Length];
        BioStatus status = TestBio.Read(Device, 0, read, BioFlags.NoWait);
        Assert.True(status is BioStatus.Ok or BioStatus.Again, $"{status}");
        if (status == BioStatus.Ok)
        {
            Assert.Equal(data, read);
        }
    }

    [Fact]
    public void What_is_open_for_reading_shows_what_is_written_and_takes_writes_from_above()
    {
        using OpenedWord reader = new(Registry, Word, DeviceMode.ReadOnly, claimedBy: Opened());
        BlockDevice device = reader.Device.Target;
        byte[] data = Pattern(1, 8);
        Assert.Equal(BioStatus.Ok, TestBio.Write(Device, 8, data));
        Assert.Equal(data, TestBio.Read(device, 8, 8));
        Assert.Equal(Device.Size, device.Size);
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 16, data));
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.WriteZeroes, 8, 8));
        Assert.Equal(BioStatus.Ok, TestBio.Flush(device));
        Assert.Equal([.. new byte[4096], .. data], TestBio.Read(Device, 8, 16));
    }

    [Fact]
    public void Data_is_there_again_after_the_last_close()
    {
        Assert.SkipUnless(Persists, "it is gone with its last user");
        byte[] data = Pattern(1, 8);
        Assert.Equal(BioStatus.Ok, TestBio.Write(Device, 8, data));
        Close();
        Assert.Equal(data, TestBio.Read(Device, 8, 8));
    }

    [Fact]
    public unsafe void A_read_or_write_allocates_nothing()
    {
        void* memory = NativeMemory.AlignedAlloc(4096, 4096);
        try
        {
            BioBuffer buffer = new((nint)memory, 4096);
            Counter counter = new();
            int rounds = 0;
            long allocated = Allocations.LeastOfRounds(() =>
            {
                Repeat(300, counter, buffer);
                rounds++;
            });

            Assert.Equal(0, allocated);
            Assert.Equal(900 * rounds, counter.Ended);
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }

    /// <summary>Random bytes, the same for each seed.</summary>
    protected static byte[] Pattern(int seed, int sectors)
    {
        byte[] data = new byte[sectors * Sector.Size];
        new Random(seed).NextBytes(data);
        return data;
    }

    /// <summary>Closes the device; the next use opens it again.</summary>
    protected void Close()
    {
        _opened?.Dispose();
        _opened = null;
    }

    /// <summary>Removes what <see cref="Word"/> made.</summary>
    protected virtual void CleanUp()
    {
    }

    private OpenedWord Opened()
    {
        _ = Backend;
        return _opened!;
    }

    private BioStatus Do(BioOperation operation, ulong sector, BioBuffer buffer)
    {
        Counter counter = new();
        Submit(operation, sector, buffer, counter);
        Wait.Until(() => counter.Ended == 1, "the bio's end");
        return counter.Last;
    }

    private void Repeat(int times, Counter counter, BioBuffer buffer)
    {
        int ended = counter.Ended + (3 * times);
        for (int i = 0; i < times; i++)
        {
            Submit(BioOperation.Write, 8, buffer, counter);
            Submit(BioOperation.Read, 8, buffer, counter);
            Submit(BioOperation.Flush, 0, default, counter);
        }

        SpinWait spin = default;
        while (Volatile.Read(ref counter.Ended) != ended)
        {
            spin.SpinOnce(); // some end on other threads
        }
    }

    private void Submit(BioOperation operation, ulong sector, BioBuffer buffer, Counter counter)
    {
        Bio bio = Bio.Rent();
        bio.Device = Device;
        bio.Operation = operation;
        bio.Sector = new Sector(sector);
        bio.Count = SectorCount.FromBytes((ulong)buffer.Length);
        bio.Buffer = buffer;
        bio.Flags = BioFlags.None;
        bio.Submit(counter);
    }

    private sealed class Counter : IBioCompletion
    {
        public int Ended;
        public BioStatus Last;

        public void BioEnded(Bio bio)
        {
            Last = bio.Status;
            bio.Return();
            Interlocked.Increment(ref Ended);
        }
    }
}
