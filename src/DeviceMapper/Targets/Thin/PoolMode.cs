namespace DeviceMapper.Targets.Thin;

/// <summary>What a pool can do at present, from all to nothing (the kernel's <c>enum pool_mode</c>).</summary>
internal enum PoolMode
{
    /// <summary>Everything.</summary>
    Write,

    /// <summary>No data block is free: blocks that are there can be used, and discarded.</summary>
    OutOfDataSpace,

    /// <summary>No metadata block is free: nothing can be changed until there are more.</summary>
    OutOfMetadataSpace,

    /// <summary>Nothing can be changed.</summary>
    ReadOnly,

    /// <summary>The metadata cannot be used: all I/O fails.</summary>
    Fail,
}
