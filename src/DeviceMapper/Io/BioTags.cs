namespace DeviceMapper.Io;

/// <summary>
/// Metadata that goes with the blocks of a bio: a tag for each (the kernel's <c>bio_integrity_payload</c>). Who submits a bio to a device with an
/// <see cref="QueueLimits.Integrity"/> profile sets it as the bio's <see cref="Bio.Tags"/>; clones have it too, and the target that keeps the
/// tags finds it there, whatever was between.
/// </summary>
internal sealed class BioTags
{
    private static readonly BioTags?[] _idle = new BioTags?[64];

    private BioTags()
    {
    }

    /// <summary>What tags there are, for which blocks.</summary>
    public IntegrityProfile Profile { get; private set; } = null!;

    /// <summary>The memory of the tags, one after the other.</summary>
    public BufferSegment Memory { get; private set; }

    /// <summary>Takes one with memory whose content is not defined.</summary>
    /// <param name="profile">What the device keeps.</param>
    /// <param name="dataLength">Of the blocks, in bytes.</param>
    public static BioTags Rent(IntegrityProfile profile, int dataLength)
    {
        BioTags? tags = null;
        for (int i = 0; tags is null && i < _idle.Length; i++)
        {
            tags = Volatile.Read(ref _idle[i]) is null ? null : Interlocked.Exchange(ref _idle[i], null);
        }

        tags ??= new BioTags();
        tags.Profile = profile;
        tags.Memory = BufferPool.Rent(profile.TagBytes(dataLength));
        return tags;
    }

    /// <summary>The tags of blocks.</summary>
    /// <param name="offset">Of the first block, in bytes of data.</param>
    /// <param name="dataLength">Of the blocks, in bytes.</param>
    public Span<byte> Of(int offset, int dataLength) => Memory.Span.Slice(Profile.TagBytes(offset), Profile.TagBytes(dataLength));

    /// <summary>Gives it back with its memory.</summary>
    public void Return()
    {
        BufferPool.Return(Memory);
        for (int i = 0; i < _idle.Length; i++)
        {
            if (Volatile.Read(ref _idle[i]) is null && Interlocked.CompareExchange(ref _idle[i], this, null) is null)
            {
                return;
            }
        }
    }
}

/// <summary>What metadata a device keeps for each of its blocks, for whoever is above (the kernel's <c>blk_integrity</c> without a checksum type).</summary>
/// <param name="TagSize">Bytes for a block.</param>
/// <param name="BlockSize">Bytes of a block.</param>
public sealed record IntegrityProfile(int TagSize, int BlockSize)
{
    /// <summary>Bytes of the tags of so many bytes of data.</summary>
    internal int TagBytes(int dataLength) => dataLength / BlockSize * TagSize;
}
