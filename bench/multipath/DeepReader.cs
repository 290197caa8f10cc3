using System.Diagnostics;
using System.Runtime.InteropServices;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace Multipath;

/// <summary>Reads 4 KiB at random places, several at a time: each that ends sends the next.</summary>
internal sealed unsafe class DeepReader(MappedDevice device, int depth) : IBioCompletion, IDisposable
{
    private const int Block = 4096;

    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc((nuint)(Block * depth), Block);
    private readonly CountdownEvent _left = new(depth);
    private long _reads;
    private volatile bool _over;

    /// <summary>Reads for some time.</summary>
    /// <returns>How many reads have ended.</returns>
    public long ReadFor(TimeSpan time)
    {
        for (int i = 0; i < depth; i++)
        {
            Submit((nint)(_memory + (i * Block)));
        }

        Thread.Sleep(time);
        _over = true;
        _left.Wait();
        return _reads;
    }

    /// <inheritdoc/>
    public void BioEnded(Bio bio)
    {
        nint buffer = bio.Buffer.Address;
        BioStatus status = bio.Status;
        bio.Return();
        if (status != BioStatus.Ok)
        {
            throw new UnreachableException($"a read ended with {status}");
        }

        Interlocked.Increment(ref _reads);
        if (_over)
        {
            _left.Signal();
        }
        else
        {
            Submit(buffer);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _left.Dispose();
        NativeMemory.AlignedFree(_memory);
    }

    private void Submit(nint buffer)
    {
        ulong blocks = device.Size.Bytes / Block;
        Bio bio = Bio.Rent();
        bio.Device = device;
        bio.Operation = BioOperation.Read;
        bio.Sector = Sector.FromBytes((ulong)Random.Shared.NextInt64((long)blocks) * Block);
        bio.Count = SectorCount.FromBytes(Block);
        bio.Buffer = new BioBuffer(buffer, Block);
        bio.Submit(this);
    }
}
