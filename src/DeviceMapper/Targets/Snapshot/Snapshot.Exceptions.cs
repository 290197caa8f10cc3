using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Snapshots;

/// <content>Exceptions: chunks that are kept before the origin or the snapshot overwrites them.</content>
internal sealed partial class Snapshot
{
    /// <summary>
    /// Keeps all that a write to the origin overwrites.
    /// </summary>
    /// <param name="start">Its first sector.</param>
    /// <param name="count">How many.</param>
    /// <param name="bio">The write, which waits for one chunk of those that are not kept yet, and is tried again then; or null.</param>
    /// <returns>Whether it has to wait.</returns>
    public bool Keep(Sector start, SectorCount count, Bio? bio)
    {
        ulong end = Math.Min((start + count).Value, Size.Value);
        bool waits = false;
        for (ulong at = start.Value; at < end; at = (at | (Store.ChunkSize - 1)) + 1)
        {
            waits |= Keep(at / Store.ChunkSize, waits ? null : bio);
        }

        return waits;
    }

    /// <summary>
    /// A write to the snapshot, to a chunk that was not complete when it came.
    /// </summary>
    /// <param name="bio">The write, within one chunk.</param>
    /// <param name="chunk">The chunk.</param>
    /// <param name="whole">The exception that the bio makes, by overwriting the whole chunk.</param>
    /// <returns>Whether the bio is kept; else it is mapped to the COW device, and the caller sends it.</returns>
    public bool Write(Bio bio, ulong chunk, out PendingException? whole)
    {
        Stripe stripe = StripeOf(chunk);
        PendingException? pending;
        whole = null;
        lock (stripe)
        {
            if (Exceptions.TryFind(chunk, out ulong newChunk))
            {
                Remap(bio, newChunk);
                return false;
            }

            pending = Find(stripe, chunk);
            if (pending is not null)
            {
                Remap(bio, pending.NewChunk);
                if (!pending.Started && bio.Count.Value == Store.ChunkSize)
                {
                    pending.Started = true;
                    pending.WholeBio = bio;
                    whole = pending;
                    return false;
                }

                pending.SnapshotBios.Add(bio);
                if (pending.Started)
                {
                    return true;
                }

                pending.Started = true;
            }
        }

        if (pending is null)
        {
            Overflow(bio, fromOrigin: false);
        }
        else
        {
            pending.StartCopy();
        }

        return true;
    }

    /// <summary>
    /// Keeps what the origin has in a chunk before it is overwritten.
    /// </summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="bio">The write to the origin, which waits; null if nothing is to wait, or it waits already.</param>
    /// <returns>Whether the chunk is not kept yet, so that the write has to wait.</returns>
    private bool Keep(ulong chunk, Bio? bio)
    {
        if (!IsValid)
        {
            return WaitsForHeader(bio);
        }

        Stripe stripe = StripeOf(chunk);
        if (Exceptions.TryFind(chunk, out _) && !stripe.HasPending)
        {
            return false;
        }

        PendingException? pending;
        bool start = false;
        lock (stripe)
        {
            if (_stopped || Merging)
            {
                return false;
            }

            if (!stripe.Pending.TryGetValue(chunk, out pending))
            {
                if (Exceptions.TryFind(chunk, out _))
                {
                    return false;
                }

                pending = Find(stripe, chunk);
            }

            if (pending is not null)
            {
                if (bio is not null)
                {
                    pending.OriginBios.Add(bio);
                }

                start = !pending.Started;
                pending.Started = true;
            }
        }

        if (pending is null)
        {
            return Overflow(bio, fromOrigin: true);
        }

        if (start)
        {
            pending.StartCopy();
        }

        return true;
    }

    /// <summary>An exception is durable, or lost (the kernel's <c>pending_complete</c>).</summary>
    public void Complete(PendingException exception, bool valid)
    {
        if (!valid)
        {
            Invalidate();
        }

        Stripe stripe = StripeOf(exception.OldChunk);
        bool failed;
        lock (stripe)
        {
            failed = !valid || !IsValid;
            if (!failed)
            {
                Exceptions.Add(exception.OldChunk, exception.NewChunk);
                if (stripe.Reads.ContainsKey(exception.OldChunk))
                {
                    exception.WaitsForReads = true; // the last of them goes on here
                    return;
                }
            }

            stripe.Remove(exception.OldChunk);
        }

        Release(exception, failed);
    }

    /// <summary>Finds the pending exception of a chunk, or takes a chunk for a new one; null where there is none left.</summary>
    private PendingException? Find(Stripe stripe, ulong chunk)
    {
        if (stripe.Pending.TryGetValue(chunk, out PendingException? pending))
        {
            return pending;
        }

        pending = new PendingException(this, Devices, chunk);
        if (!Store.TryPrepare(pending))
        {
            return null;
        }

        Devices.Enter();
        stripe.Add(pending);
        return pending;
    }

    /// <summary>An exception is over: the bios that waited for it go on.</summary>
    private void Release(PendingException exception, bool failed)
    {
        Bio? snapshotBio;
        Bio? originBio;
        Stripe stripe = StripeOf(exception.OldChunk);
        lock (stripe)
        {
            snapshotBio = exception.SnapshotBios.TakeAll();
            originBio = exception.OriginBios.TakeAll();
        }

        if (exception.WholeBio is { } whole)
        {
            exception.WholeBio = null;
            whole.Context = null;
            if (failed)
            {
                Fail(whole);
            }
            else
            {
                whole.End(BioStatus.Ok);
            }
        }

        if (failed)
        {
            FailAll(snapshotBio);
        }
        else
        {
            SendAll(snapshotBio);
        }

        Origin.ExceptionDone();
        Origin.Retry(originBio);
        exception.Devices.Exit();
    }

    private static void SendAll(Bio? bio)
    {
        while (bio is not null)
        {
            Bio? next = bio.Next;
            bio.Next = null;
            bio.Send();
            bio = next;
        }
    }
}
