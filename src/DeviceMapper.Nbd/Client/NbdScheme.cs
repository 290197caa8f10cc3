using DeviceMapper.Backends;
using DeviceMapper.Mapping;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeviceMapper.Nbd.Client;

/// <summary>Devices on NBD servers, for <see cref="DeviceRegistryOptions.Schemes"/>.</summary>
/// <param name="logger">Where it logs.</param>
/// <param name="time">Its clock.</param>
public sealed class NbdScheme(ILogger? logger = null, TimeProvider? time = null) : IDeviceScheme
{
    /// <inheritdoc/>
    public IReadOnlyList<string> Prefixes => NbdUri.Prefixes;

    /// <inheritdoc/>
    public DeviceSpec Resolve(string word, ResolveContext context) =>
        new NbdDeviceSpec(NbdUri.Parse(word), logger ?? NullLogger.Instance, time ?? TimeProvider.System);
}

/// <summary>A device on an NBD server, not connected.</summary>
internal sealed class NbdDeviceSpec(NbdUri uri, ILogger logger, TimeProvider time) : DeviceSpec
{
    /// <inheritdoc/>
    public override DeviceIdentity Identity { get; } = new("nbd", uri.Identity);

    /// <inheritdoc/>
    public override string Name => uri.Word;

    /// <summary>The protocol has no claim: other clients are not kept out.</summary>
    public override IDisposable Claim(CancellationToken cancellation) => new NoClaim();

    /// <inheritdoc/>
    public override Backend Open(DeviceMode mode, CancellationToken cancellation) => NbdBackend.Open(uri, mode, logger, time, cancellation);

    /// <summary>Times are taken over; a count of connections stays what it was when they were opened.</summary>
    public override string? ApplyOptions(Backend open) => ((NbdBackend)open).Apply(uri);

    private sealed class NoClaim : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
