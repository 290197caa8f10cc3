using CsCheck;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Targets;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Mapping;

/// <summary>The way of a bio: split, cloned, mapped, ended.</summary>
public sealed class BioPathTests : IDisposable
{
    private readonly TestRegistry _registry = new();
    private readonly FakeDevice _a;
    private readonly FakeDevice _b;

    public BioPathTests()
    {
        _a = _registry.Add("a");
        _b = _registry.Add("b");
    }

    public void Dispose() => _registry.Dispose();

    /// <summary>However a device is cut into targets, with whatever largest I/O, from above it is an array of bytes.</summary>
    [Fact]
    public void Random_tables_are_arrays_of_bytes()
    {
        Gen<int[]> lengths = Gen.Int[1, 40].Array[1, 12];
        Gen.Select(lengths, Gen.Int[0, 9].Array[12], Gen.Int).Sample(
            (cuts, limits, seed) =>
            {
                using TestRegistry registry = new();
                registry.Add("d", 512);
                List<string> lines = [];
                int start = 0;
                for (int i = 0; i < cuts.Length; i++)
                {
                    registry.Script($"s{i}").MaxIo = (ulong)limits[i];
                    registry.Script($"s{i}").Copies = 1;
                    lines.Add($"{start} {cuts[i]} test s{i} d {start}");
                    start += cuts[i];
                }

                MappedDevice m = registry.Create("m", string.Join('\n', lines));
                VerifiedIo io = new(m, 0, m.Size.Value, seed);
                for (int i = 0; i < 60; i++)
                {
                    io.Step();
                }

                io.CheckAll();
            },
            iter: 100);
    }

    [Fact]
    public void Pieces_keep_to_targets_and_their_largest_I_O_and_are_in_order()
    {
        _registry.Script("s").MaxIo = 6;
        MappedDevice m = _registry.Create("m", "0 10 linear a 0\n10 20 test s b 0\n30 10 linear a 30");
        byte[] data = new byte[36 * Sector.Size];
        new Random(3).NextBytes(data);
        Assert.Equal(BioStatus.Ok, TestBio.Submit(m, BioOperation.Write, 2, 36, data, pieces: [1, 7, 20, 8]).Wait());
        Assert.Equal([(2, 8), (30, 8)], Seen(_a));
        Assert.Equal([(0, 6), (6, 6), (12, 6), (18, 2)], Seen(_b));
        Assert.Equal(data, TestBio.Read(m, 2, 36));
    }

    [Fact]
    public void The_first_error_wins_and_the_parent_ends_with_its_last_piece()
    {
        MappedDevice m = _registry.Create("m", "0 10 linear a 0\n10 10 linear b 0");
        _a.Holding = _b.Holding = true;
        TestBio bio = TestBio.Submit(m, BioOperation.Read, 5, 10);
        _b.Answer = _ => BioStatus.Medium;
        _b.EndAll();
        Assert.False(bio.Ended);
        _a.Answer = _ => BioStatus.NoSpace;
        _a.EndAll();
        Assert.Equal(BioStatus.Medium, bio.Wait());
    }

    [Fact]
    public void What_lies_beyond_the_end_or_is_not_aligned_or_empty_is_refused()
    {
        _a.Limits = _a.Limits with { LogicalBlockSize = 4096, PhysicalBlockSize = 4096 };
        MappedDevice m = _registry.Create("m", "0 80 linear a 0");
        Assert.Equal(BioStatus.IoError, TestBio.Do(m, BioOperation.Read, 80, 8));
        Assert.Equal(BioStatus.IoError, TestBio.Do(m, BioOperation.Write, 72, 16));
        Assert.Equal(BioStatus.IoError, TestBio.Do(m, BioOperation.Discard, 72, 16));
        Assert.Equal(BioStatus.Invalid, TestBio.Do(m, BioOperation.Read, 1, 8));
        Assert.Equal(BioStatus.Invalid, TestBio.Do(m, BioOperation.Read, 0, 7));
        Assert.Equal(BioStatus.Invalid, TestBio.Do(m, BioOperation.WriteZeroes, 4, 8));
        Assert.Empty(_a.Seen);
    }

    [Fact]
    public void A_read_only_table_takes_no_writes_of_any_kind()
    {
        MappedDevice m = _registry.Create("m", "0 80 linear a 0", DeviceMode.ReadOnly);
        foreach (BioOperation operation in new[] { BioOperation.Write, BioOperation.Discard, BioOperation.WriteZeroes, BioOperation.SecureErase })
        {
            Assert.Equal(BioStatus.ReadOnly, TestBio.Do(m, operation, 0, 8));
        }

        Assert.Equal(BioStatus.Ok, TestBio.Do(m, BioOperation.Read, 0, 8));
        Assert.Equal(BioStatus.Ok, TestBio.Flush(m));
    }

    [Fact]
    public void Targets_that_let_flushes_past_share_one_for_each_device()
    {
        MappedDevice m = _registry.Create("m", "0 10 linear a 0\n10 10 linear a 10\n20 10 linear b 0\n30 10 striped 2 5 a 30 b 30");
        Assert.Equal(BioStatus.Ok, TestBio.Flush(m));
        Assert.Equal([(BioOperation.Flush, 1), (BioOperation.Flush, 1)], new[] { _a, _b }.Select(d => (d.Seen.Single().Operation, d.Seen.Count)));
        _b.Answer = _ => BioStatus.NoSpace;
        Assert.Equal(BioStatus.NoSpace, TestBio.Flush(m));
    }

    [Fact]
    public void Flushes_go_through_maps_as_soon_as_one_target_wants_to_see_them()
    {
        _registry.Script("s").Copies = 3;
        List<int> numbers = [];
        _registry.Script("s").Map = (target, bio) =>
        {
            numbers.Add(bio.TargetBioNumber);
            return target.Pass(bio);
        };
        MappedDevice m = _registry.Create("m", "0 10 linear a 0\n10 10 test s b 0");
        Assert.Equal(BioStatus.Ok, TestBio.Flush(m));
        Assert.Equal([0, 1, 2], numbers);
        Assert.Equal((1, 3), (_a.Seen.Count, _b.Seen.Count));
    }

    [Fact]
    public void A_target_that_keeps_a_clone_at_its_end_can_submit_it_again()
    {
        int tries = 0;
        TestTargetScript script = _registry.Script("s");
        script.End = (target, bio, status) =>
        {
            if (status == BioStatus.Ok || ++tries > 3)
            {
                return (EndResult.Done, status);
            }

            target.Pass(bio);
            bio.Sector = new Sector(7);
            bio.Send();
            return (EndResult.Incomplete, status);
        };
        MappedDevice m = _registry.Create("m", "0 10 test s a 0");
        int failures = 2;
        _a.Answer = _ => failures-- > 0 ? BioStatus.Transport : BioStatus.Ok;
        Assert.Equal(BioStatus.Ok, TestBio.Do(m, BioOperation.Read, 3, 1));
        Assert.Equal([(3, 1), (7, 1), (7, 1)], Seen(_a));
        failures = 10;
        Assert.Equal(BioStatus.Transport, TestBio.Do(m, BioOperation.Read, 3, 1));
        _a.Answer = null;
    }

    [Fact]
    public void A_target_may_change_how_a_bio_ends()
    {
        _registry.Script("s").End = (_, _, status) => (EndResult.Done, status == BioStatus.Ok ? BioStatus.Protection : BioStatus.Ok);
        MappedDevice m = _registry.Create("m", "0 10 test s a 0");
        Assert.Equal(BioStatus.Protection, TestBio.Do(m, BioOperation.Read, 0, 1));
        _a.Answer = _ => BioStatus.Medium;
        Assert.Equal(BioStatus.Ok, TestBio.Do(m, BioOperation.Read, 0, 1));
    }

    [Fact]
    public void A_target_with_a_bug_fails_its_bios_and_loses_none()
    {
        TestTargetScript script = _registry.Script("s");
        script.Map = (_, _) => throw new InvalidOperationException("oops in map");
        script.End = (_, _, _) => throw new InvalidOperationException("oops in end");
        MappedDevice m = _registry.Create("m", "0 10 test s a 0");
        Assert.Equal(BioStatus.IoError, TestBio.Do(m, BioOperation.Read, 0, 1));
        script.Map = null;
        Assert.Equal(BioStatus.IoError, TestBio.Do(m, BioOperation.Read, 0, 1));
        Assert.Equal(["Error: m: test: a bug of the target (oops in map)", "Error: m: test: a bug of the target (oops in end)"], _registry.Log.Lines);
        Assert.Equal(0, m.InFlight);
    }

    [Fact]
    public void A_device_with_a_bug_strands_nobody_elses_bios()
    {
        MappedDevice m = _registry.Create("m", "0 10 linear a 0\n10 10 linear b 0");
        Bio? lost = null;
        _a.Answer = bio =>
        {
            lost = bio;
            throw new InvalidOperationException("oops");
        };
        TestBio? nested = null;
        TestBio first = TestBio.Submit(m, BioOperation.Read, 10, 1);
        Assert.True(first.Ended);
        Assert.Throws<InvalidOperationException>(() => TestBio.Submit(m, BioOperation.Read, 5, 10)); // two pieces: the second must arrive
        Assert.Equal(2, _b.Seen.Count);
        _a.Answer = null;
        lost!.End(BioStatus.IoError);
        nested = TestBio.Submit(m, BioOperation.Read, 0, 1);
        Assert.Equal(BioStatus.Ok, nested.Wait());
        Assert.Equal(0, m.InFlight);
    }

    [Fact]
    public void A_second_end_is_noticed()
    {
        MappedDevice m = _registry.Create("m", "0 10 linear a 0");
        _a.Holding = true;
        TestBio bio = TestBio.Submit(m, BioOperation.Read, 0, 1);
        Bio held = _a.Held.Single();
        _a.EndAll();
        Assert.Equal(BioStatus.Ok, bio.Wait());
        Assert.Throws<InvalidOperationException>(() => held.End(BioStatus.Ok));
    }

    [Fact]
    public void A_stack_of_a_thousand_devices_does_not_deepen_the_stack_of_the_thread()
    {
        MappedDevice top = _registry.Create("m0", "0 1000 linear a 0");
        for (int i = 1; i < 1000; i++)
        {
            // Every tenth cuts, so that pieces of pieces of pieces are on their way.
            string below = $"/dev/mapper/m{i - 1}";
            top = _registry.Create($"m{i}", i % 10 == 0 ? $"0 {i / 2} linear {below} 0\n{i / 2} {1000 - (i / 2)} linear {below} {i / 2}" : $"0 1000 linear {below} 0");
        }

        byte[] data = new byte[1000 * Sector.Size];
        new Random(1).NextBytes(data);
        Exception? failure = null;
        Thread thread = new(
            () =>
            {
                try
                {
                    Assert.Equal(BioStatus.Ok, TestBio.Write(top, 0, data));
                    Assert.Equal(data, TestBio.Read(top, 0, 1000));
                    Assert.Equal(BioStatus.Ok, TestBio.Flush(top));
                }
                catch (Exception e)
                {
                    failure = e;
                }
            },
            maxStackSize: 128 << 10);
        thread.Start();
        thread.Join();
        Assert.Null(failure);
        Assert.Equal(1, _a.Seen.Count(b => b.Operation == BioOperation.Flush));
        Assert.Equal(0, _registry.Registry.RemoveAll());
    }

    [Fact]
    public void Bios_that_end_on_other_threads_do_not_deepen_the_stack_either()
    {
        using ShufflingThread later = new(1);
        _a.Later = later;
        MappedDevice m = _registry.Create("m", "0 1000 linear a 0");
        int left = 100_000;
        using ManualResetEventSlim over = new();
        Next(null!);
        Assert.True(over.Wait(Wait.Limit));

        void Next(TestBio bio)
        {
            if (--left == 0)
            {
                over.Set();
                return;
            }

            Bio next = Bio.Rent();
            next.Device = m;
            next.Operation = BioOperation.Flush;
            next.Count = default;
            next.Submit(new Chain(Next));
        }
    }

    [Fact]
    public void Completions_that_submit_the_next_bio_do_not_deepen_the_stack()
    {
        MappedDevice m = _registry.Create("m", "0 1000 zero");
        int left = 1_000_000;
        Chain? chain = null;
        chain = new Chain(_ =>
        {
            if (--left > 0)
            {
                Submit();
            }
        });
        Submit();
        Assert.Equal(0, left);

        void Submit()
        {
            Bio next = Bio.Rent();
            next.Device = m;
            next.Operation = BioOperation.Discard;
            next.Sector = default;
            next.Count = new SectorCount(8);
            next.Submit(chain!);
        }
    }

    [Theory]
    [InlineData("0 1000 linear a 0", 1)]
    [InlineData("0 500 linear a 0\n500 500 linear b 0", 1)]
    [InlineData("0 1000 striped 2 4 a 0 b 0", 64)]
    [InlineData("0 1000 zero", 8)]
    public void A_bio_allocates_nothing(string table, int sectors)
    {
        _a.Recording = _b.Recording = false;
        MappedDevice m = _registry.Create("m", table);
        MappedDevice top = _registry.Create("top", "0 1000 linear /dev/mapper/m 0");
        byte[] memory = GC.AllocateArray<byte>(sectors * Sector.Size, pinned: true);
        Chain ended = new(_ => { });
        BioOperation[] operations = [BioOperation.Read, BioOperation.Write, BioOperation.Flush, BioOperation.Discard];
        long allocated = long.MaxValue; // the least of rounds: what the runtime allocates now and then is not the bio's
        for (int round = 0; round < 20 && allocated > 0; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 10_000; i++)
            {
                Bio bio = Bio.Rent();
                bio.Device = top;
                bio.Operation = operations[i % operations.Length];
                bio.Sector = new Sector((ulong)(i % (1000 - sectors)));
                bio.Count = new SectorCount(bio.Operation == BioOperation.Flush ? 0 : (ulong)sectors);
                bio.Buffer = TestBio.BufferOf(memory);
                bio.Submit(ended);
            }

            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, allocated);
    }

    [Fact]
    public void A_bio_is_not_returned_while_it_is_in_flight()
    {
        Bio bio = Bio.Rent();
        Assert.Throws<InvalidOperationException>(() => bio.End(BioStatus.Ok));
        bio.Return();
    }

    private static IEnumerable<(int Sector, int Count)> Seen(FakeDevice device) => device.Seen.Where(b => b.Operation != BioOperation.Flush).Select(b => ((int)b.Sector, (int)b.Count)).Take(4);

    private sealed class Chain(Action<TestBio> next) : IBioCompletion
    {
        public void BioEnded(Bio bio)
        {
            bio.Return();
            next(null!);
        }
    }
}
