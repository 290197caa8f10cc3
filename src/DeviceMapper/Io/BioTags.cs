namespace DeviceMapper.Io;

/// <summary>Metadata that goes with the blocks of a bio: a tag for each (the kernel's <c>bio_integrity_payload</c>). Clones share it.</summary>
public sealed class BioTags
{
    /// <summary>The sector of the device, of the first tag's block.</summary>
    public Sector Start { get; set; }

    /// <summary>The tags, one after the other.</summary>
    public BioBuffer Buffer { get; set; }
}

/// <summary>What metadata a device keeps for each of its blocks (the kernel's <c>blk_integrity</c> without a checksum type).</summary>
/// <param name="TagSize">Bytes for a block.</param>
/// <param name="BlockSize">Bytes of a block.</param>
public sealed record IntegrityProfile(int TagSize, int BlockSize);
