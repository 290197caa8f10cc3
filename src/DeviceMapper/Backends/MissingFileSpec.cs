using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Backends;

/// <summary>A file that <c>file:PATH?size=SIZE</c> would make, where none is to be made: zeroes of that size.</summary>
internal sealed class MissingFileSpec(string name, string path, SectorCount size) : DeviceSpec
{
    /// <inheritdoc/>
    public override DeviceIdentity Identity => new("missing", path);

    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override bool MayHang => false;

    /// <inheritdoc/>
    public override IDisposable Claim(CancellationToken cancellation) => throw new NotSupportedException("There is nothing to claim.");

    /// <inheritdoc/>
    public override Backend Open(DeviceMode mode, CancellationToken cancellation) => new ZeroBackend(size);
}
