using DeviceMapper.Backends;
using DeviceMapper.Io;

namespace DeviceMapper.Tests.Backends;

/// <summary>What every backend keeps.</summary>
public abstract class BackendTests : IDisposable
{
    protected const int Sectors = 8192; // 4 MiB

    private protected abstract Backend Device { get; }

    public abstract void Dispose();

    [Fact]
    public void HasTheSizeThatItWasMadeWith() => Assert.Equal(Sectors, (int)Device.Size.Value);

    [Fact]
    public void ReadsZeroesWhereNothingWasWritten()
    {
        byte[] data = BackendIo.Pattern(1, 4096);
        Assert.Equal(BioStatus.Ok, BackendIo.Read(Device, 16, data));
        Assert.All(data, b => Assert.Equal(0, b));
    }

    [Fact]
    public void ReadsWhatWasWritten()
    {
        byte[] data = BackendIo.Pattern(1, 1 << 20);
        Assert.Equal(BioStatus.Ok, BackendIo.Write(Device, 24, data));
        byte[] read = new byte[data.Length];
        Assert.Equal(BioStatus.Ok, BackendIo.Read(Device, 24, read));
        Assert.Equal(data, read);
    }
}
