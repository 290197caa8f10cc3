using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Mapping;

public sealed class StatisticsTests
{
    [Fact]
    public void I_O_is_counted_in_the_areas_that_it_touches()
    {
        using TestRegistry registry = new();
        MappedDevice device = Create(registry);
        Assert.Equal("0", Send(device, "@stats_create 0+100 40"));
        TestBio.Do(device, BioOperation.Read, 10, 8);
        TestBio.Do(device, BioOperation.Write, 30, 60);
        TestBio.Do(device, BioOperation.Discard, 90, 200);
        TestBio.Flush(device);
        Assert.Equal(
            "0+40 1 0 8 0 1 0 10 0 0 0 0 0 0\n40+40 0 0 0 0 1 0 40 0 0 0 0 0 0\n80+40 0 0 0 0 2 1 20 0 0 0 0 0 0\n",
            Send(device, "@stats_print 0"));
    }

    [Fact]
    public void Times_in_flight_are_summed_in_the_unit_of_the_region()
    {
        using TestRegistry registry = new();
        MappedDevice device = Create(registry);
        Send(device, "@stats_create - /1");
        Send(device, "@stats_create - /1 2 precise_timestamps histogram:1000000,5000000");
        registry["a"].Holding = true;
        TestBio.Submit(device, BioOperation.Read, 100, 1);
        registry.Time.Advance(TimeSpan.FromMilliseconds(2));
        TestBio.Submit(device, BioOperation.Write, 200, 1);
        registry.Time.Advance(TimeSpan.FromMilliseconds(3));
        Assert.Equal("0+1000 0 0 0 0 0 0 0 0 2 5 8 5 3\n", Send(device, "@stats_print 0"));
        registry["a"].EndAll();
        Assert.Equal("0+1000 1 0 1 5 1 0 1 3 0 5 8 5 3\n", Send(device, "@stats_print 0"));
        Assert.Equal("0+1000 1 0 1 5000000 1 0 1 3000000 0 5000000 8000000 5000000 3000000 0:1:1\n", Send(device, "@stats_print 1"));
    }

    [Fact]
    public void Print_clear_subtracts_what_it_printed()
    {
        using TestRegistry registry = new();
        MappedDevice device = Create(registry);
        Send(device, "@stats_create - 500");
        TestBio.Do(device, BioOperation.Read, 10, 8);
        TestBio.Do(device, BioOperation.Read, 600, 8);
        Assert.Equal("500+500 1 0 8 0 0 0 0 0 0 0 0 0 0\n", Send(device, "@stats_print_clear 0 1 1"));
        Assert.Equal("0+500 1 0 8 0 0 0 0 0 0 0 0 0 0\n500+500 0 0 0 0 0 0 0 0 0 0 0 0 0\n", Send(device, "@stats_print 0"));
        Send(device, "@stats_clear 0");
        Assert.Equal("0+500 0 0 0 0 0 0 0 0 0 0 0 0 0\n", Send(device, "@stats_print 0 0 1"));
    }

    [Fact]
    public void Print_clear_with_an_answer_that_does_not_fit_clears_nothing()
    {
        using TestRegistry registry = new();
        MappedDevice device = Create(registry);
        Send(device, "@stats_create - 500");
        TestBio.Do(device, BioOperation.Read, 10, 8);
        string lines = "0+500 1 0 8 0 0 0 0 0 0 0 0 0 0\n500+500 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
        device.Message(default, "@stats_print_clear 0", room: lines.Length - 1);
        Assert.Equal(lines, device.Message(default, "@stats_print_clear 0", room: lines.Length));
        Assert.Equal("0+500 0 0 0 0 0 0 0 0 0 0 0 0 0\n", Send(device, "@stats_print 0 0 1"));
    }

    [Fact]
    public void A_region_made_while_I_O_is_in_flight_counts_only_later_I_O()
    {
        using TestRegistry registry = new();
        MappedDevice device = Create(registry);
        registry["a"].Holding = true;
        TestBio.Submit(device, BioOperation.Read, 100, 1);
        Send(device, "@stats_create - /1");
        TestBio.Submit(device, BioOperation.Read, 100, 1);
        registry["a"].EndAll();
        Assert.StartsWith("0+1000 1 0 1 0 0 0 0 0 0 ", Send(device, "@stats_print 0"));
    }

    [Fact]
    public void A_bio_that_goes_back_to_the_queue_is_counted_once()
    {
        using TestRegistry registry = new();
        MappedDevice device = Create(registry);
        Send(device, "@stats_create - /1");
        registry["a"].Holding = true;
        TestBio bio = TestBio.Submit(device, BioOperation.Read, 100, 1);
        registry["a"].Answer = _ => BioStatus.Requeue;
        Task suspend = Threads.Start(() => device.Suspend(SuspendOptions.NoFlush));
        Wait.Until(() => device.WaitReason is not null, "the suspend to begin: what ended before would have failed");
        registry["a"].EndAll();
        Wait.For(suspend, "the suspend");
        registry["a"].Answer = null;
        registry["a"].Holding = false;
        device.Resume();
        Assert.Equal(BioStatus.Ok, bio.Wait());
        Assert.StartsWith("0+1000 1 0 1 0 0 0 0 0 0 ", Send(device, "@stats_print 0"));
    }

    [Fact]
    public void Pieces_that_no_target_maps_are_not_counted()
    {
        using TestRegistry registry = new();
        registry.Add("a", 1024);
        MappedDevice device = registry.Create("m", "0 100 linear a 0\n100 100 error\n200 800 linear a 200");
        Send(device, "@stats_create - /1");
        Assert.Equal(BioStatus.IoError, TestBio.Do(device, BioOperation.Read, 96, 8));
        Assert.Equal(BioStatus.IoError, TestBio.Do(device, BioOperation.Write, 96, 8));
        Assert.Equal(BioStatus.IoError, TestBio.Do(device, BioOperation.Read, 90, 120));
        Assert.StartsWith("0+1000 3 0 24 0 1 0 4 0 0 ", Send(device, "@stats_print 0"));
        Assert.Equal(BioStatus.IoError, TestBio.Do(device, BioOperation.Read, 120, 8));
        TestBio.Do(device, BioOperation.Read, 210, 8);
        Assert.StartsWith("0+1000 4 1 32 0 1 0 4 0 0 ", Send(device, "@stats_print 0")); // follows what was counted last
    }

    [Fact]
    public void Many_threads_lose_no_count()
    {
        using TestRegistry registry = new();
        MappedDevice device = Create(registry);
        registry["a"].Recording = false;
        Send(device, "@stats_create - /7");
        Threads.Run(4, u =>
        {
            for (int i = 0; i < 2000; i++)
            {
                TestBio.Do(device, u % 2 == 0 ? BioOperation.Read : BioOperation.Write, (ulong)((i * 7) % 1000), 1);
            }
        });
        string[][] areas = [.. Send(device, "@stats_print 0")!.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' '))];
        Assert.Equal(4000, areas.Sum(a => int.Parse(a[1])));
        Assert.Equal(4000, areas.Sum(a => int.Parse(a[5])));
        Assert.All(areas, a => Assert.Equal("0", a[9]));
    }

    [Fact]
    public void Numbers_of_regions_are_the_lowest_that_are_free()
    {
        using TestRegistry registry = new();
        MappedDevice device = Create(registry);
        Assert.Equal(["0", "1", "2"], [.. Enumerable.Range(0, 3).Select(_ => Send(device, "@stats_create - /1 me")!)]);
        Send(device, "@stats_delete 1");
        Assert.Equal(Errno.ENOENT, Assert.Throws<DmException>(() => Send(device, "@stats_print 1")).Errno);
        Assert.Equal("1", Send(device, "@stats_create 5+5 5 1 precise_timestamps you data"));
        Send(device, "@stats_set_aux 1 other");
        Assert.Equal("0: 0+1000 1000 me -\n1: 5+5 5 you other precise_timestamps\n2: 0+1000 1000 me -\n", Send(device, "@stats_list"));
        Assert.Equal("1: 5+5 5 you other precise_timestamps\n", Send(device, "@stats_list you"));
    }

    [Theory]
    [InlineData("@stats_create")]
    [InlineData("@stats_create - 0")]
    [InlineData("@stats_create - /0")]
    [InlineData("@stats_create 5 5")]
    [InlineData("@stats_create 5+0 5")]
    [InlineData("@stats_create - 5 1")]
    [InlineData("@stats_create - 5 1 nosuch")]
    [InlineData("@stats_create - 5 1 histogram:5,5")]
    [InlineData("@stats_create - 5 a b c")]
    [InlineData("@stats_delete x")]
    [InlineData("@stats_print 0 1")]
    [InlineData("@stats_nosuch")]
    public void A_message_that_does_not_fit_is_refused(string message)
    {
        using TestRegistry registry = new();
        MappedDevice device = Create(registry);
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => Send(device, message)).Errno);
        Assert.Equal("", Send(device, "@stats_list"));
    }

    private static MappedDevice Create(TestRegistry registry)
    {
        registry.Add("a", 1024);
        return registry.Create("m", "0 1000 linear a 0");
    }

    private static string? Send(MappedDevice device, string message) => device.Message(default, message);
}
