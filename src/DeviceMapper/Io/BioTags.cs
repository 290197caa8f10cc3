namespace DeviceMapper.Io;

/// <summary>
/// Metadata that goes with the blocks of a bio: a tag for each (the kernel's <c>bio_integrity_payload</c>). The submitter's
/// <see cref="Bio.Context"/> of a bio to a device with an <see cref="QueueLimits.Integrity"/> profile, whose target finds it there: bios
/// without tags carry nothing for it.
/// </summary>
internal sealed class BioTags
{
    private static readonly BioTags?[] _idle = new BioTags?[64];

    private BioTags()
    {
    }

    /// <summary>The sector of the device, of the first tag's block.</summary>
    public Sector Start { get; private set; }

    /// <summary>The memory of the tags, one after the other.</summary>
    public BufferSegment Memory { get; private set; }

    /// <summary>Takes one with memory whose content is not defined.</summary>
    /// <param name="start">The sector on the device.</param>
    /// <param name="length">Of the tags, in bytes.</param>
    public static BioTags Rent(Sector start, int length)
    {
        BioTags? tags = null;
        for (int i = 0; tags is null && i < _idle.Length; i++)
        {
            tags = Volatile.Read(ref _idle[i]) is null ? null : Interlocked.Exchange(ref _idle[i], null);
        }

        tags ??= new BioTags();
        tags.Start = start;
        tags.Memory = BufferPool.Rent(length);
        return tags;
    }

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
public sealed record IntegrityProfile(int TagSize, int BlockSize);
