namespace DeviceMapper.Targets;

/// <summary>Properties of a target type (the kernel's <c>DM_TARGET_*</c> feature bits).</summary>
[Flags]
public enum TargetFeatures
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Must be the only target of its table.</summary>
    Singleton = 1,

    /// <summary>Not for read-only tables.</summary>
    AlwaysWriteable = 2,

    /// <summary>Cannot be replaced by a table of another type.</summary>
    Immutable = 4,

    /// <summary>May replace an immutable target.</summary>
    Wildcard = 8,

    /// <summary>Keeps metadata for the blocks of its bios by itself.</summary>
    Integrity = 16,

    /// <summary>Passes on what the devices below keep as metadata for their blocks.</summary>
    PassesIntegrity = 32,

    /// <summary>Maps <see cref="Io.BioFlags.NoWait"/> bios without waiting.</summary>
    NoWait = 128,
}

/// <summary>A kind of target: its word in a table, and how one is made.</summary>
/// <param name="Name">The word in a table; at most 15 characters.</param>
/// <param name="Version">As the kernel's target has it.</param>
/// <param name="Grammar">Its arguments, as the errors print them: <c>&lt;dev_path&gt; &lt;offset&gt;</c>.</param>
/// <param name="Features">Its properties.</param>
/// <param name="Create">Makes one, or throws <see cref="DmException"/>.</param>
public sealed record TargetType(
    string Name,
    TargetVersion Version,
    string Grammar,
    TargetFeatures Features,
    Func<TargetArguments, Target> Create)
{
    /// <summary>Whether it has a property.</summary>
    public bool Has(TargetFeatures feature) => (Features & feature) != 0;
}

/// <summary>The version of a target type.</summary>
public readonly record struct TargetVersion(uint Major, uint Minor, uint Patch)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Major}.{Minor}.{Patch}";
}
