using DeviceMapper.Backends;
using DeviceMapper.Mapping;

namespace DeviceMapper.Tests.Backends;

/// <summary>The device of a word of a table, claimed and open, without a table.</summary>
internal sealed class OpenedWord : IDisposable
{
    private readonly IDisposable _claim;

    public OpenedWord(DeviceRegistry registry, string word, DeviceMode mode = DeviceMode.ReadWrite, string scope = "test")
    {
        Spec = registry.Resolve(word, new ResolveContext(scope));
        _claim = Spec.Claim(CancellationToken.None);
        Device = Spec.Open(mode, CancellationToken.None);
    }

    public DeviceSpec Spec { get; }

    public Backend Device { get; }

    public void Dispose()
    {
        Device.Dispose();
        _claim.Dispose();
    }
}
