using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Backends;

/// <summary>A mapped device.</summary>
public sealed class MappedBackendTests : BackendConformance
{
    private MappedDevice? _device;

    protected override string Word
    {
        get
        {
            _device ??= Registry.Create("low", $"0 {Sectors} linear mem:4M 0");
            return "/dev/mapper/low";
        }
    }

    [Fact]
    public void Io_goes_to_the_mapped_device_itself()
    {
        BlockDevice device = Device;
        Assert.Same(_device, device);
    }

    [Fact]
    public void A_read_only_table_refuses_its_own_writes_and_passes_those_of_a_writeable_table_on_top()
    {
        MappedDevice low = Registry.Create("ro", "0 8 linear mem:4K 0", DeviceMode.ReadOnly);
        MappedDevice top = Registry.Create("top", "0 8 linear /dev/mapper/ro 0");
        Assert.Equal(BioStatus.ReadOnly, TestBio.Write(low, 0, Pattern(1, 8)));
        Assert.Equal(BioStatus.Ok, TestBio.Write(top, 0, Pattern(2, 8)));
        Assert.Equal(Pattern(2, 8), TestBio.Read(low, 0, 8));
    }

    [Fact]
    public void Counts_as_an_open()
    {
        _ = Device;
        Assert.Equal(1, _device!.OpenCount);
        using (OpenedWord _ = new(Registry, Word, DeviceMode.ReadOnly))
        {
            Assert.Equal(2, _device.OpenCount);
        }

        Close();
        Assert.Equal(0, _device.OpenCount);
    }
}
