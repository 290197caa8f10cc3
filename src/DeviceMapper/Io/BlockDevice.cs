namespace DeviceMapper.Io;

/// <summary>What bios are sent to: an open backend, or a mapped device.</summary>
/// <remarks>
/// The contract of a bio, which every implementation keeps and the conformance tests check:
/// each submitted bio ends exactly once, by <see cref="Bio.End"/>; that may happen inline, before <see cref="Process"/>
/// returns; no lock is held while ending a bio; its buffers are not touched afterwards; a flush makes durable all
/// writes that had completed when it was submitted.
/// </remarks>
public abstract class BlockDevice
{
    /// <summary>Its present size.</summary>
    public abstract SectorCount Size { get; }

    /// <summary>What its I/O must look like.</summary>
    public abstract QueueLimits Limits { get; }

    /// <summary>
    /// Does what a bio asks and ends it, now or later, on any thread. Called through <see cref="Bio.Submit"/> only.
    /// It must not wait for another bio.
    /// </summary>
    protected internal abstract void Process(Bio bio);
}

/// <summary>Who wants to know that a bio has ended.</summary>
public interface IBioCompletion
{
    /// <summary>
    /// Called exactly once, on any thread, possibly before <see cref="Bio.Submit"/> returns, with no lock held. It must neither throw, nor wait
    /// for another bio, nor suspend or remove a device: the thread may be what others wait for.
    /// The bio, with its <see cref="Bio.Status"/>, belongs to the callee again, which gives it back by <see cref="Bio.Return"/>.
    /// </summary>
    void BioEnded(Bio bio);
}
