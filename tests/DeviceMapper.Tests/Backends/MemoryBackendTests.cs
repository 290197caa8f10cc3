using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Backends;

/// <summary>Memory.</summary>
public sealed class MemoryBackendTests : BackendConformance
{
    protected override string Word => "mem:4M";

    protected override bool Persists => false;

    [Fact]
    public void A_reload_of_the_same_text_keeps_the_data()
    {
        MappedDevice device = Registry.Create("m", "0 2048 linear mem:1M 0");
        byte[] data = Pattern(1, 8);
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 8, data));
        Reload(device, "0 1000 linear mem:1M 0");
        Assert.Equal(data, TestBio.Read(device, 8, 8));
    }

    [Fact]
    public void Two_mentions_are_two_memories_also_of_two_devices()
    {
        MappedDevice device = Registry.Create("m", "0 8 linear mem:1M 0\n8 8 linear mem:1M 0");
        MappedDevice other = Registry.Create("o", "0 8 linear mem:1M 0");
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, Pattern(1, 8)));
        Assert.Equal(new byte[4096], TestBio.Read(device, 8, 8));
        Assert.Equal(new byte[4096], TestBio.Read(other, 0, 8));
    }

    [Fact]
    public void Another_size_is_another_memory()
    {
        MappedDevice device = Registry.Create("m", "0 8 linear mem:1M 0");
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, Pattern(1, 8)));
        Reload(device, "0 4096 linear mem:2M 0");
        Assert.Equal(new byte[4096], TestBio.Read(device, 0, 8));
    }

    [Fact]
    public void A_named_memory_is_the_same_everywhere_as_long_as_somebody_has_it()
    {
        MappedDevice device = Registry.Create("m", "0 8 linear mem:1M#shared 0");
        MappedDevice other = Registry.Create("o", "0 8 linear mem:1M#shared 0", DeviceMode.ReadOnly);
        byte[] data = Pattern(1, 8);
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, data));
        Assert.Equal(data, TestBio.Read(other, 0, 8));
        Registry.Remove(device);
        Assert.Equal(data, TestBio.Read(other, 0, 8));
        Registry.Remove(other);
        Assert.Equal(new byte[4096], TestBio.Read(Registry.Create("n", "0 8 linear mem:1M#shared 0"), 0, 8));
    }

    [Fact]
    public void A_name_has_one_size()
    {
        Registry.Create("m", "0 8 linear mem:1M#shared 0");
        DmException refusal = Assert.Throws<DmException>(() => Registry.Create("o", "0 8 linear mem:2M#shared 0"));
        Assert.Equal(Errno.EINVAL, refusal.Errno);
        Assert.Contains("has 1M", refusal.Message);
    }

    [Fact]
    public void What_the_system_cannot_give_is_refused()
    {
        DmException refusal = Assert.Throws<DmException>(() => new OpenedWord(Registry, "mem:1000000T"));
        Assert.Equal(Errno.ENOMEM, refusal.Errno);
    }

    private static void Reload(MappedDevice device, string table)
    {
        device.LoadTable(table);
        device.Resume();
    }
}
