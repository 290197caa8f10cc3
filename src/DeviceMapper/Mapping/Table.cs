using DeviceMapper.Targets;
namespace DeviceMapper.Mapping;

/// <summary>A table of targets.</summary>
public sealed class Table
{
    /// <summary>How it opens its devices.</summary>
    public DeviceMode Mode => throw new NotImplementedException();
    internal DeviceReference GetDevice(string word, DeviceMode mode, CancellationToken cancellation) => throw new NotImplementedException();
    internal void LogTargetBug(Target target, Exception exception) => throw new NotImplementedException();
}
