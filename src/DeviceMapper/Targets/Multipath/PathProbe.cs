using System.Runtime.InteropServices;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Multipath;

/// <summary>A read of a device's first block, past the mapped device.</summary>
internal sealed unsafe class PathProbe : IBioCompletion
{
    private const int Alignment = 4096;

    private readonly Action<BioStatus> _ended;
    private readonly void* _memory;

    private PathProbe(int bytes, Action<BioStatus> ended)
    {
        _ended = ended;
        _memory = NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
    }

    /// <summary>Reads; <paramref name="ended"/> is told how it ended, on any thread.</summary>
    public static void Send(BlockDevice device, Action<BioStatus> ended)
    {
        int bytes = (int)device.Limits.LogicalBlockSize;
        PathProbe probe = new(bytes, ended);
        Bio bio = Bio.Rent();
        bio.Device = device;
        bio.Operation = BioOperation.Read;
        bio.Flags = BioFlags.FailFast;
        bio.Sector = default;
        bio.Count = new SectorCount((ulong)bytes / Sector.Size);
        bio.Buffer = new BioBuffer((nint)probe._memory, bytes);
        bio.Submit(probe);
    }

    /// <inheritdoc/>
    public void BioEnded(Bio bio)
    {
        BioStatus status = bio.Status;
        bio.Return();
        NativeMemory.AlignedFree(_memory);
        _ended(status);
    }
}
