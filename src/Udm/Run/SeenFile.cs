using DeviceMapper.Io;

namespace Udm.Run;

/// <summary>What a path is inside <c>udm run</c>, where it is something else than outside.</summary>
internal abstract record SeenFile
{
    /// <summary>The control node.</summary>
    public sealed record Control : SeenFile;

    /// <summary>A mapped device's block device.</summary>
    /// <param name="Name">The mapped device.</param>
    /// <param name="Number">Its number, as the ioctls tell it.</param>
    public sealed record Device(string Name, DeviceNumber Number) : SeenFile;

    /// <summary>A file of which only the text is different.</summary>
    public sealed record Text(string Contents) : SeenFile;

    /// <summary>A file or a folder that takes its place, read-only.</summary>
    /// <param name="Path">Where that is outside.</param>
    /// <param name="Root">The file system that it seems to be on: <c>/sys</c> or <c>/dev</c>.</param>
    public record Elsewhere(string Path, string Root) : SeenFile;

    /// <summary>A device's <c>read_ahead_kb</c>: of all that is shown in /sys this can be written.</summary>
    /// <param name="Path">Where the text is outside.</param>
    /// <param name="Root">The file system that it seems to be on.</param>
    /// <param name="Of">The device.</param>
    public sealed record ReadAhead(string Path, string Root, Device Of) : Elsewhere(Path, Root);

    /// <summary>Nothing is there.</summary>
    public sealed record Absent : SeenFile;
}
