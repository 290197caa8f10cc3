namespace DeviceMapper.Io;

/// <summary>
/// Reads and writes that wait for their end: for metadata, in constructors and on threads of a target's own. Never from a map or
/// from the end of a bio, where nothing may wait.
/// </summary>
public sealed class BlockingIo : IBioCompletion
{
    private BioStatus _status;
    private bool _ended;

    private BlockingIo()
    {
    }

    /// <summary>Fills a buffer.</summary>
    public static BioStatus Read(BlockDevice device, Sector at, BioBuffer buffer) => Run(device, BioOperation.Read, at, buffer, BioFlags.None);

    /// <summary>Writes a buffer.</summary>
    public static BioStatus Write(BlockDevice device, Sector at, BioBuffer buffer, BioFlags flags = BioFlags.None) =>
        Run(device, BioOperation.Write, at, buffer, flags);

    /// <summary>Fills a buffer, and tags with what the device keeps beside its blocks.</summary>
    internal static BioStatus Read(BlockDevice device, Sector at, BioBuffer buffer, BioTags? tags) =>
        Run(device, BioOperation.Read, at, buffer, BioFlags.None, tags: tags);

    /// <summary>Writes a buffer, and tags that the device keeps beside its blocks.</summary>
    internal static BioStatus Write(BlockDevice device, Sector at, BioBuffer buffer, BioTags? tags) =>
        Run(device, BioOperation.Write, at, buffer, BioFlags.None, tags: tags);

    /// <summary>Makes durable what was written before.</summary>
    public static BioStatus Flush(BlockDevice device) => Run(device, BioOperation.Flush, default, default, BioFlags.None);

    /// <summary>Says that sectors are no longer used.</summary>
    public static BioStatus Discard(BlockDevice device, Sector at, SectorCount count) =>
        Run(device, BioOperation.Discard, at, default, BioFlags.None, count);

    /// <inheritdoc/>
    void IBioCompletion.BioEnded(Bio bio)
    {
        BioStatus status = bio.Status;
        bio.Return();
        lock (this)
        {
            _status = status;
            _ended = true;
            Monitor.Pulse(this);
        }
    }

    private static BioStatus Run(
        BlockDevice device, BioOperation operation, Sector at, BioBuffer buffer, BioFlags flags, SectorCount count = default, BioTags? tags = null)
    {
        if (BioThread.Current.IsSubmitting)
        {
            throw new InvalidOperationException("A map or the end of a bio may not wait for another bio.");
        }

        Bio bio = Bio.Rent();
        bio.Operation = operation;
        bio.Device = device;
        bio.Sector = at;
        bio.Count = count + SectorCount.FromBytes((ulong)buffer.Length);
        bio.Buffer = buffer;
        bio.Flags = flags;
        bio.Tags = tags;
        bio.TagsOffset = 0;
        BlockingIo wait = new();
        bio.Submit(wait);
        Plug.Flush();
        lock (wait)
        {
            while (!wait._ended)
            {
                Monitor.Wait(wait);
            }
        }

        return wait._status;
    }
}
