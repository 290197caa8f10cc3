using DeviceMapper.Io;
using DeviceMapper.Targets;

namespace DeviceMapper.Mapping.Checking;

/// <summary>In place of a target that was refused, so that the lines after it can be looked at.</summary>
internal sealed class StandInTarget(TargetArguments arguments) : Target(arguments)
{
    /// <inheritdoc/>
    public override MapResult Map(Bio bio) => MapResult.Kill;
}
