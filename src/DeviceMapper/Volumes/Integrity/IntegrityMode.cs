namespace DeviceMapper.Volumes.Integrity;

/// <summary>How tags and data stay together when the machine stops in the middle of a write: the mode of an integrity table.</summary>
public enum IntegrityMode
{
    /// <summary>J: each write goes through a journal.</summary>
    Journal,

    /// <summary>B: a bitmap says which tags may be wrong, and these are made again.</summary>
    Bitmap,

    /// <summary>D: they do not; what was being written may not be readable.</summary>
    Direct,

    /// <summary>R: read-only, and nothing is checked or replayed: to save what can be read.</summary>
    Recovery,
}
