using System.Runtime.InteropServices;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Multipath;

/// <summary>Is told how a read ended.</summary>
/// <param name="status">How.</param>
/// <param name="data">What was read.</param>
internal delegate void ProbeEnded(BioStatus status, ReadOnlySpan<byte> data);

/// <summary>A read of a device, past the mapped device.</summary>
internal sealed unsafe class PathProbe : IBioCompletion
{
    private const int Alignment = 4096;

    private readonly ProbeEnded _ended;
    private readonly void* _memory;
    private readonly int _bytes;

    private PathProbe(int bytes, ProbeEnded ended)
    {
        _bytes = bytes;
        _ended = ended;
        _memory = NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
    }

    /// <summary>Reads, and tells how it ended, on any thread.</summary>
    /// <param name="device">What to read.</param>
    /// <param name="connection">By which connection; 0: by any.</param>
    /// <param name="start">From where on.</param>
    /// <param name="bytes">How much.</param>
    /// <param name="ended">Is told.</param>
    public static void Send(BlockDevice device, int connection, Sector start, int bytes, ProbeEnded ended)
    {
        PathProbe probe = new(bytes, ended);
        Bio bio = Bio.Rent();
        bio.Device = device;
        bio.Operation = BioOperation.Read;
        bio.Flags = BioFlags.FailFast;
        bio.Connection = connection;
        bio.Sector = start;
        bio.Count = new SectorCount((ulong)bytes / Sector.Size);
        bio.Buffer = new BioBuffer((nint)probe._memory, bytes);
        bio.Submit(probe);
    }

    /// <inheritdoc/>
    public void BioEnded(Bio bio)
    {
        BioStatus status = bio.Status;
        bio.Connection = 0;
        bio.Return();
        _ended(status, new ReadOnlySpan<byte>(_memory, _bytes));
        NativeMemory.AlignedFree(_memory);
    }
}
