using System.Runtime.InteropServices;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace Multipath;

/// <summary>Reads a sector, again and again, one after the other.</summary>
internal sealed unsafe class Reader(MappedDevice device) : IBioCompletion, IDisposable
{
    private readonly void* _memory = NativeMemory.AlignedAlloc(Sector.Size, 4096);
    private readonly ManualResetEventSlim _ended = new();

    /// <summary>Reads, and waits.</summary>
    public BioStatus Read()
    {
        _ended.Reset();
        Submit();
        _ended.Wait();
        return Status;
    }

    /// <summary>Reads where each read ends before its submission returns.</summary>
    public void ReadInline(int times)
    {
        for (int i = 0; i < times; i++)
        {
            Submit();
        }
    }

    private BioStatus Status { get; set; }

    /// <inheritdoc/>
    public void BioEnded(Bio bio)
    {
        Status = bio.Status;
        bio.Return();
        _ended.Set();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ended.Dispose();
        NativeMemory.AlignedFree(_memory);
    }

    private void Submit()
    {
        Bio bio = Bio.Rent();
        bio.Device = device;
        bio.Operation = BioOperation.Read;
        bio.Sector = default;
        bio.Count = new SectorCount(1);
        bio.Buffer = new BioBuffer((nint)_memory, Sector.Size);
        bio.Submit(this);
    }
}
