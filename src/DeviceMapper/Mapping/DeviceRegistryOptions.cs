using System.Security.Cryptography.X509Certificates;
using DeviceMapper.Backends;
using DeviceMapper.Targets;
using Microsoft.Extensions.Logging;

namespace DeviceMapper.Mapping;

/// <summary>How a <see cref="DeviceRegistry"/> is set up.</summary>
public sealed record DeviceRegistryOptions
{
    /// <summary>
    /// The folder that shows mapped devices as files: names in it, as names in /dev/mapper, are mapped devices, and are never opened through
    /// the kernel. Absolute; null without one.
    /// </summary>
    public string? MapperFolder { get; init; }

    /// <summary>Where it logs; nowhere unless set.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>Its clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The longest that opening a table device may take.</summary>
    public TimeSpan OpenTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long writes wait for room in a thin pool that is full, before they fail; for ever where it is zero (the kernel's no_space_timeout).</summary>
    public TimeSpan NoSpaceTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Whose signatures of root hashes verity takes (<c>root_hash_sig_key_desc</c>): in place of the kernel's trusted keyrings. Nobody's unless set.</summary>
    public IReadOnlyList<X509Certificate2> VerityCertificates { get; init; } = [];

    /// <summary>
    /// Whether I/O of files goes past the page cache where a word does not say so: for devices that are block devices, whose own
    /// dirty pages the kernel may want to write while it looks for memory.
    /// </summary>
    public bool DirectFiles { get; init; }

    /// <summary>The target types; all that there are unless set.</summary>
    public IReadOnlyList<TargetType> TargetTypes { get; init; } = Targets.TargetTypes.All;

    /// <summary>Kinds of devices that tables name by a URI, besides those of this library.</summary>
    public IReadOnlyList<IDeviceScheme> Schemes { get; init; } = [];

    /// <summary>Whether <c>file:PATH?size=SIZE</c> makes a file that is missing; else it is found as <see cref="MissingFileSpec"/>.</summary>
    internal bool MakesFiles { get; init; } = true;

    /// <summary>Finds devices in place of the usual words; for tests.</summary>
    internal Func<string, ResolveContext, DeviceSpec>? Resolve { get; init; }
}
