using DeviceMapper.Backends;
using DeviceMapper.Mapping;

namespace DeviceMapper.Tests.Backends;

/// <summary>The device of a word of a table, claimed and open, without a table.</summary>
public sealed class OpenedWord : IDisposable
{
    private readonly IDisposable? _claim;

    /// <summary>Finds, claims and opens a device.</summary>
    /// <param name="registry">Where it is found.</param>
    /// <param name="word">Its word.</param>
    /// <param name="mode">How it is opened.</param>
    /// <param name="claimedBy">Who has claimed it already: the claim is not taken again.</param>
    public OpenedWord(DeviceRegistry registry, string word, DeviceMode mode = DeviceMode.ReadWrite, OpenedWord? claimedBy = null)
    {
        Spec = registry.Resolve(word, new ResolveContext("test"));
        _claim = claimedBy is null ? Spec.Claim(CancellationToken.None) : null;
        try
        {
            Device = Spec.Open(mode, CancellationToken.None);
        }
        catch
        {
            _claim?.Dispose();
            throw;
        }
    }

    /// <summary>What was found.</summary>
    public DeviceSpec Spec { get; }

    /// <summary>The open device.</summary>
    public Backend Device { get; }

    public void Dispose()
    {
        Device.Dispose();
        _claim?.Dispose();
    }
}
