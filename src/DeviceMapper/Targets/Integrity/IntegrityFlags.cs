namespace DeviceMapper.Targets.Integrity;

/// <summary>Features that a superblock says (<c>SB_FLAG_*</c>).</summary>
[Flags]
internal enum IntegrityFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The journal is authenticated.</summary>
    JournalMac = 1,

    /// <summary>Tags are being made, or were until all had one; version 2.</summary>
    Recalculating = 2,

    /// <summary>The journal's place has a bitmap of what may be without tags; version 3.</summary>
    DirtyBitmap = 4,

    /// <summary>Runs of tags are padded to 4 KiB, not to 128 KiB; version 4.</summary>
    FixedPadding = 8,

    /// <summary>Keyed hashes have a salt; version 5.</summary>
    FixedHmac = 16,

    /// <summary>Tags lie in the device's own metadata; version 6.</summary>
    Inline = 32,

    /// <summary>Tags of discarded blocks depend on the key; version 7.</summary>
    KeyedDiscard = 64,
}
