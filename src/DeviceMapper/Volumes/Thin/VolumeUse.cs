namespace DeviceMapper.Volumes.Thin;

/// <summary>What a volume of a thin pool takes of it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Mapped">Blocks that it has; others may have them, too.</param>
/// <param name="Exclusive">Blocks that no other volume has: what its deletion would make free.</param>
public readonly record struct VolumeUse(ulong Id, ulong Mapped, ulong Exclusive);
