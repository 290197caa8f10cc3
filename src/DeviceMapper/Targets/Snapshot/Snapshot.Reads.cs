using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Snapshots;

/// <content>Bios that are counted while they are on their way to the origin, or to the COW device during a merge.</content>
internal sealed partial class Snapshot
{
    /// <summary>
    /// Counts a read, or a discard, as on its way to the origin; <see cref="EndRead"/> when it has ended.
    /// </summary>
    /// <returns>False where the chunk is complete by now, at <paramref name="newChunk"/>.</returns>
    public bool TryBeginRead(ulong chunk, out ulong newChunk)
    {
        Stripe stripe = StripeOf(chunk);
        lock (stripe)
        {
            if (Exceptions.TryFind(chunk, out newChunk))
            {
                return false;
            }

            stripe.Reads[chunk] = stripe.Reads.GetValueOrDefault(chunk) + 1;
            return true;
        }
    }

    /// <summary>A bio that was counted has ended.</summary>
    public void EndRead(ulong chunk)
    {
        Stripe stripe = StripeOf(chunk);
        PendingException? ready = null;
        lock (stripe)
        {
            int left = stripe.Reads[chunk] - 1;
            if (left > 0)
            {
                stripe.Reads[chunk] = left;
                return;
            }

            stripe.Reads.Remove(chunk);
            Monitor.PulseAll(stripe);
            if (stripe.Pending.TryGetValue(chunk, out PendingException? pending) && pending.WaitsForReads)
            {
                stripe.Remove(chunk);
                ready = pending;
            }
        }

        if (ready is not null)
        {
            Release(ready, failed: false);
        }
    }

    /// <summary>Counts a write to the COW device while it is merged; <see cref="EndRead"/> when it has ended.</summary>
    public void BeginWrite(ulong chunk)
    {
        Stripe stripe = StripeOf(chunk);
        lock (stripe)
        {
            stripe.Reads[chunk] = stripe.Reads.GetValueOrDefault(chunk) + 1;
        }
    }

    /// <summary>Waits until no counted bio uses a chunk.</summary>
    public void WaitForBios(ulong chunk)
    {
        Stripe stripe = StripeOf(chunk);
        lock (stripe)
        {
            while (stripe.Reads.ContainsKey(chunk))
            {
                Monitor.Wait(stripe);
            }
        }
    }
}
