using DeviceMapper.Io;

namespace DeviceMapper.Mapping;

/// <summary>A line of a table: <c>start length type arguments</c>.</summary>
/// <param name="Start">First sector of the mapped device that the target maps.</param>
/// <param name="Length">How many sectors.</param>
/// <param name="Type">The target type's word.</param>
/// <param name="Arguments">The rest of the line, words separated by white space, a backslash taking the next character literally.</param>
public readonly record struct TableLine(Sector Start, SectorCount Length, string Type, string Arguments)
{
    /// <inheritdoc/>
    public override string ToString() => Arguments.Length == 0 ? $"{Start} {Length} {Type}" : $"{Start} {Length} {Type} {Arguments}";
}
