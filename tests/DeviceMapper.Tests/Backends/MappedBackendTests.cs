using DeviceMapper.Io;
using DeviceMapper.Mapping;

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

    // Its own table says whether it can be written.
    protected override BioStatus WriteToReader => BioStatus.Ok;

    [Fact]
    public void Io_goes_to_the_mapped_device_itself()
    {
        BlockDevice device = Device;
        Assert.Same(_device, device);
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
