namespace DeviceMapper.Metadata;

/// <summary>A metadata block in memory.</summary>
internal sealed class MetadataBlock(ulong number, BlockKind kind)
{
    /// <summary>Where it is on the device, in blocks.</summary>
    public ulong Number { get; } = number;

    /// <summary>What it is.</summary>
    public BlockKind Kind { get; } = kind;

    /// <summary>Its bytes. Changed only by the transaction that made it.</summary>
    public byte[] Data { get; } = GC.AllocateUninitializedArray<byte>(BlockKind.Size);

    /// <summary>Changed since it was last written.</summary>
    public bool IsDirty { get; set; }

    /// <summary>Used since the cache last looked for blocks to forget.</summary>
    public bool WasUsed { get; set; } = true;
}
