using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

public sealed class DustTargetTests : DataTargetConformance
{
    protected override string Table => "0 1000 dust a 24 4096";

    protected override IEnumerable<string> BadTables => ["0 1000 dust a 24", "0 1000 dust a 24 513", "0 1000 dust a 24 0", "0 1000 dust a x 512", "0 1000 dust a 0 2147483648", "0 1000 dust a 24 512 more"];

    protected override Errno OpenRefusal(Errno ofDevice) => Errno.EINVAL;

    protected override void AddDevices(TestRegistry registry) => registry.Add("a", 1024);

    protected override (string Device, ulong Sector)? Place(ulong sector) => ("a", sector + 24);

    [Fact]
    public void A_bad_block_cannot_be_read_until_it_is_written()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 1000 dust a 0 512");
        Send(device, "addbadblock 5");
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 5, 1));
        Send(device, "enable");
        Assert.Equal(BioStatus.IoError, TestBio.Do(device, BioOperation.Read, 5, 1));
        Assert.Equal(BioStatus.IoError, TestBio.Do(device, BioOperation.Read, 0, 16));
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 6, 1));
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Write, 5, 1));
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 5, 1));
        Assert.Equal("countbadblocks: 0 badblock(s) found", Send(device, "countbadblocks"));
    }

    [Fact]
    public void Writes_to_a_bad_block_fail_as_often_as_was_said()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 1000 dust a 0 512");
        Send(device, "addbadblock 5 2");
        Send(device, "enable");
        Assert.Equal(BioStatus.IoError, TestBio.Do(device, BioOperation.Write, 5, 1));
        Assert.Equal(BioStatus.IoError, TestBio.Do(device, BioOperation.Write, 5, 1));
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Write, 5, 1));
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 5, 1));
    }

    [Fact]
    public void Messages_that_do_not_fit_change_nothing()
    {
        using TestRegistry registry = NewRegistry();
        MappedDevice device = registry.Create("m", "0 1000 dust a 0 512");
        Send(device, "addbadblock 5");
        foreach (string message in (string[])["addbadblock", "addbadblock 5", "addbadblock x", "addbadblock 1025", "addbadblock 6 256", "removebadblock 7", "queryblock", "nosuch", "enable 1", "quiet 1 2 3"])
        {
            DmException refusal = Assert.Throws<DmException>(() => Send(device, message));
            Assert.Equal(Errno.EINVAL, refusal.Errno);
            AssertIsSentence(refusal, message);
        }

        Assert.Equal("5\n", Send(device, "listbadblocks"));
        Assert.Equal("a bypass verbose", device.TableTexts(arguments: false)[0].Text);
    }

    private static string? Send(MappedDevice device, string message) => device.Message(default, message);
}
