using DeviceMapper.Mapping;

namespace DeviceMapper.Nbd.Server;

/// <summary>What a client and we have agreed on in the handshake.</summary>
/// <param name="Device">What the client uses.</param>
/// <param name="StructuredReplies">Replies to reads are structured.</param>
/// <param name="Contexts">What block status tells.</param>
internal sealed record NegotiatedExport(MappedDevice Device, bool StructuredReplies, MetaContexts Contexts);

/// <summary>What block status can tell; the value of each is its number on the wire.</summary>
[Flags]
internal enum MetaContexts : uint
{
    None = 0,

    /// <summary><c>base:allocation</c>: holes that read as zeroes.</summary>
    Allocation = 1,

    /// <summary><c>dm:targets</c>: the place in the table of the target that serves a range.</summary>
    Targets = 2,
}
