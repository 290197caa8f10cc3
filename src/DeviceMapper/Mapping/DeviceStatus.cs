using DeviceMapper.Io;

namespace DeviceMapper.Mapping;

/// <summary>What <c>DM_DEV_STATUS</c> tells of a mapped device, at one moment.</summary>
public readonly record struct DeviceStatus
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its uuid; empty without one.</summary>
    public required string Uuid { get; init; }

    /// <summary>Its number.</summary>
    public required DeviceNumber Number { get; init; }

    /// <summary>File handles, connections, and table devices of other mapped devices.</summary>
    public required int OpenCount { get; init; }

    /// <summary>Its count of events.</summary>
    public required uint EventNumber { get; init; }

    /// <summary>Targets of the live table, or of the inactive one where that was asked for; 0 without a table.</summary>
    public required int TargetCount { get; init; }

    /// <summary>Whether the live table, or the inactive one where that was asked for, is read-only.</summary>
    public required bool ReadOnly { get; init; }

    /// <summary>Whether it is suspended.</summary>
    public required bool Suspended { get; init; }

    /// <summary>Whether there is a live table.</summary>
    public required bool ActivePresent { get; init; }

    /// <summary>Whether there is an inactive table.</summary>
    public required bool InactivePresent { get; init; }

    /// <summary>Whether it is removed when it is closed for the last time.</summary>
    public required bool DeferredRemove { get; init; }

    /// <summary>Its read-ahead in sectors; null before its first table, when the kernel has no disk of it yet.</summary>
    public required uint? ReadAhead { get; init; }
}

/// <summary>A target as <c>dmsetup table</c> or <c>dmsetup status</c> prints it.</summary>
/// <param name="Start">Its first sector.</param>
/// <param name="Length">Its sectors.</param>
/// <param name="Type">Its type's word.</param>
/// <param name="Text">Its status, or its arguments.</param>
public readonly record struct TargetText(Sector Start, SectorCount Length, string Type, string Text);

/// <summary>A table device as <c>dmsetup deps</c> shows it.</summary>
/// <param name="Number">Its number; that of a device which is no block device is this daemon's own.</param>
/// <param name="Name">As table lines name it.</param>
/// <param name="Mode">How it is open.</param>
public readonly record struct Dependency(DeviceNumber Number, string Name, DeviceMode Mode);

/// <summary>How a suspend goes, or the suspend that a resume with a new table begins with.</summary>
[Flags]
public enum SuspendOptions
{
    /// <summary>Waits until all bios in flight have ended.</summary>
    None = 0,

    /// <summary>Targets hand back the bios that they hold; these are mapped again after the resume.</summary>
    NoFlush = 1,

    /// <summary>Does not freeze a file system on it. There is none that we could freeze: accepted, and without effect.</summary>
    SkipLockFs = 2,
}
