using DeviceMapper.Io;

namespace DeviceMapper.Targets.Thin;

/// <summary>Discards of runs of blocks, sent side by side; tells when all have ended.</summary>
internal sealed class PassedDiscard(BlockDevice device, uint blockSize, List<ulong> blocks, Action<BioStatus> done) : IBioCompletion
{
    private int _left = 1; // one more as long as there are more to send
    private int _status;

    /// <summary>Sends them.</summary>
    public void Start()
    {
        ulong largest = Math.Max(1, device.Limits.MaxDiscard.Value / blockSize); // blocks
        for (int i = 0, next; i < blocks.Count; i = next)
        {
            next = i + 1;
            while (next < blocks.Count && blocks[next] == blocks[next - 1] + 1 && (ulong)(next - i) < largest)
            {
                next++;
            }

            Bio bio = Bio.Rent();
            bio.Operation = BioOperation.Discard;
            bio.Device = device;
            bio.Sector = new Sector(blocks[i] * blockSize);
            bio.Count = new SectorCount((ulong)(next - i) * blockSize);
            bio.Buffer = default;
            Interlocked.Increment(ref _left);
            bio.Submit(this);
        }

        Step();
    }

    /// <inheritdoc/>
    void IBioCompletion.BioEnded(Bio bio)
    {
        Interlocked.CompareExchange(ref _status, (int)bio.Status, 0);
        bio.Return();
        Step();
    }

    private void Step()
    {
        if (Interlocked.Decrement(ref _left) == 0)
        {
            done((BioStatus)_status);
        }
    }
}
