using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class ThinPoolTargetTests : DataTargetConformance
{
    private const string Pool = "0 1280 thin-pool m d 128 2 0";

    protected override string Table => Pool;

    protected override IEnumerable<string> BadTables =>
    [
        "0 1280 thin-pool m d 128",
        "0 1280 thin-pool m m 128 0",
        "0 1280 thin-pool m d 64 0",
        "0 1280 thin-pool m d 130 0",
        "0 1280 thin-pool m d 128 x",
        "0 1280 thin-pool m d 128 0 1",
        "0 1280 thin-pool m d 128 0 1 other",
        "0 1280 thin-pool m d 128 0 5 skip_block_zeroing ignore_discard no_discard_passdown error_if_no_space read_only",
    ];

    protected override IEnumerable<string> FlushReaches(TestRegistry registry) => ["d"];

    protected override void AddDevices(TestRegistry registry)
    {
        registry.Add("m", 4096);
        registry.Add("d", 4096);
    }

    protected override (string Device, ulong Sector)? Place(ulong sector) => ("d", sector);

    [Fact]
    public void Messages_make_and_delete_volumes()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice pool = registry.Create("pool", Pool);
        pool.Message(default, "create_thin 7");
        Assert.Equal(Errno.EEXIST, Refusal("create_thin 7"));
        Assert.Equal(Errno.EINVAL, Refusal("create_thin 16777216"));
        Assert.Equal(Errno.EINVAL, Refusal("create_thin"));
        pool.Message(default, "create_snap 8 7");
        Assert.Equal(Errno.ENODATA, Refusal("create_snap 9 1"));
        pool.Message(default, "set_transaction_id 0 5");
        Assert.Equal(Errno.EINVAL, Refusal("set_transaction_id 0 6"));
        Assert.StartsWith("5 ", Status(pool));
        pool.Message(default, "delete 7");
        Assert.Equal(Errno.ENODATA, Refusal("delete 7"));
        pool.Message(default, "reserve_metadata_snap");
        Assert.Equal(Errno.EBUSY, Refusal("reserve_metadata_snap"));
        pool.Message(default, "release_metadata_snap");
        Assert.Equal(Errno.EINVAL, Refusal("nosuch"));

        Errno Refusal(string message)
        {
            DmException refusal = Assert.Throws<DmException>(() => { pool.Message(default, message); });
            AssertIsSentence(refusal, message);
            return refusal.Errno;
        }
    }

    [Fact]
    public void It_is_what_it_was_after_a_new_start()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice pool = registry.Create("pool", Pool);
        pool.Message(default, "create_thin 0");
        pool.Message(default, "set_transaction_id 0 9");
        string status = Status(pool);
        registry.Registry.Remove(pool);
        Assert.Equal(status, Status(registry.Create("pool", Pool)));
    }

    [Fact]
    public void Another_pool_cannot_have_its_devices()
    {
        using TestRegistry registry = NewRegistry();
        registry.Add("e", 4096);
        registry.Create("pool", Pool);
        MappedDevice other = registry.Registry.Create("other");
        Assert.Equal(Errno.EBUSY, Assert.Throws<DmException>(() => other.LoadTable("0 1280 thin-pool m e 128 0")).Errno);
    }

    [Fact]
    public void It_grows_and_does_not_shrink()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice pool = registry.Create("pool", Pool);
        Assert.Contains(" 0/10 ", Status(pool));
        TestRegistry.Swap(pool, "0 2560 thin-pool m d 128 2");
        Assert.Contains(" 0/20 ", Status(pool));
        pool.LoadTable(Pool);
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => pool.Resume()).Errno);
        TestRegistry.Swap(pool, "0 2560 thin-pool m d 128 2");
        Assert.Contains(" 0/20 ", Status(pool));
    }

    [Fact]
    public void Metadata_that_cannot_be_written_makes_it_read_only_until_it_is_checked()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice pool = registry.Create("pool", Pool);
        bool failing = true;
        registry["m"].Answer = b => failing && b.Operation == BioOperation.Write && b.Sector.Value != 0 ? BioStatus.IoError : BioStatus.Ok;
        pool.Message(default, "create_thin 0");
        failing = false;
        Assert.Contains(" ro ", Status(pool));
        Assert.Contains(" needs_check ", Status(pool));
        Assert.Equal(Errno.EOPNOTSUPP, Assert.Throws<DmException>(() => { pool.Message(default, "create_thin 1"); }).Errno);
        TestRegistry.Swap(pool, Pool);
        Assert.Contains(" ro ", Status(pool));
    }

    internal static string Status(MappedDevice device) => device.TableTexts(arguments: false)[0].Text;
}
