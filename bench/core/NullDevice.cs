using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace Core;

/// <summary>A device that ends every bio at once and touches no data. In tables of <see cref="Registry"/> each word that starts with <c>null</c> names one.</summary>
internal sealed class NullDevice : Backend
{
    private static int _opens;

    /// <summary>How often any was opened.</summary>
    public static int Opens => _opens;

    /// <inheritdoc/>
    public override SectorCount Size => new(1UL << 32);

    /// <inheritdoc/>
    public override QueueLimits Limits => QueueLimits.Stacking;

    /// <summary>A registry whose tables also know null devices; mapped devices are <c>/dev/mapper/NAME</c>.</summary>
    public static DeviceRegistry Registry() => new(new DeviceRegistryOptions { MapperFolder = "/dev/mapper", Schemes = [new NullScheme()] });

    /// <summary>A stack of mapped devices, each a linear one.</summary>
    /// <returns>The topmost.</returns>
    public static MappedDevice Stack(DeviceRegistry registry, int depth, string prefix = "m")
    {
        MappedDevice top = registry.Create($"{prefix}1", "0 1000000 linear null 0");
        for (int i = 2; i <= depth; i++)
        {
            top = registry.Create($"{prefix}{i}", $"0 1000000 linear /dev/mapper/{prefix}{i - 1} 0");
        }

        return top;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
    }

    /// <inheritdoc/>
    protected internal override void Process(Bio bio) => bio.End(BioStatus.Ok);

    private sealed class NullScheme : IDeviceScheme
    {
        public IReadOnlyList<string> Prefixes => ["null"];

        public DeviceSpec Resolve(string word, ResolveContext context) => new Found(word);
    }

    private sealed class Found(string name) : DeviceSpec
    {
        public override DeviceIdentity Identity => new("null", name);

        public override string Name => name;

        public override bool MayHang => false;

        public override IDisposable Claim(CancellationToken cancellation) => new Claimed();

        public override Backend Open(DeviceMode mode, CancellationToken cancellation)
        {
            Interlocked.Increment(ref _opens);
            return new NullDevice();
        }
    }

    private sealed class Claimed : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
