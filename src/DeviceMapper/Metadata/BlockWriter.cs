using DeviceMapper.Io;

namespace DeviceMapper.Metadata;

/// <summary>Writes blocks side by side, and waits for all of them.</summary>
internal sealed class BlockWriter(BlockDevice device) : IBioCompletion
{
    private const int MostAtOnce = 64;

    private int _inFlight;
    private BioStatus _status;

    /// <summary>Starts to write a block; waits where too many are on their way.</summary>
    public void Write(Sector at, ReadOnlySpan<byte> data)
    {
        lock (this)
        {
            while (_inFlight >= MostAtOnce)
            {
                Monitor.Wait(this);
            }

            _inFlight++;
        }

        BufferSegment buffer = BufferPool.Rent(data.Length);
        data.CopyTo(buffer.Span);
        Bio bio = Bio.Rent();
        bio.Operation = BioOperation.Write;
        bio.Device = device;
        bio.Sector = at;
        bio.Count = SectorCount.FromBytes((ulong)data.Length);
        bio.Buffer = new BioBuffer(buffer.Address, data.Length);
        bio.Submit(this);
    }

    /// <summary>Waits until all are written.</summary>
    /// <exception cref="DmException">The errno of the first that was not.</exception>
    public void Wait()
    {
        lock (this)
        {
            while (_inFlight > 0)
            {
                Monitor.Wait(this);
            }
        }

        if (_status != BioStatus.Ok)
        {
            throw new DmException(_status.ToErrno(), "metadata blocks cannot be written");
        }
    }

    /// <inheritdoc/>
    void IBioCompletion.BioEnded(Bio bio)
    {
        BioStatus status = bio.Status;
        BufferPool.Return(new BufferSegment(bio.Buffer.Address, BlockKind.Size));
        bio.Return();
        lock (this)
        {
            _status = _status == BioStatus.Ok ? status : _status;
            _inFlight--;
            Monitor.PulseAll(this);
        }
    }
}
