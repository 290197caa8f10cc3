using System.Runtime.InteropServices;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Nbd.Tests;

/// <summary>Single bios to a device, waited for.</summary>
internal sealed unsafe class TestIo(MappedDevice device) : IBioCompletion, IDisposable
{
    private const int Capacity = 32 << 20;

    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(Capacity, 4096);
    private readonly SemaphoreSlim _ended = new(0);
    private BioStatus _status;

    public Span<byte> Memory => new(_memory, Capacity);

    public BioStatus Write(ulong offset, byte[] data, BioFlags flags = BioFlags.None)
    {
        data.CopyTo(Memory);
        return Do(BioOperation.Write, offset, data.Length, flags);
    }

    public byte[] Read(ulong offset, int length)
    {
        Memory[..length].Fill(0xaa);
        Assert.Equal(BioStatus.Ok, Do(BioOperation.Read, offset, length));
        return Memory[..length].ToArray();
    }

    public BioStatus Do(BioOperation operation, ulong offset, int length, BioFlags flags = BioFlags.None)
    {
        Begin(operation, offset, length, flags);
        return End();
    }

    /// <summary>Submits one, and does not wait.</summary>
    public void Begin(BioOperation operation, ulong offset, int length, BioFlags flags = BioFlags.None)
    {
        Bio bio = Bio.Rent();
        bio.Operation = operation;
        bio.Flags = flags;
        bio.Sector = Sector.FromBytes(offset);
        bio.Count = SectorCount.FromBytes((ulong)length);
        bio.Buffer = operation is BioOperation.Read or BioOperation.Write ? new BioBuffer((nint)_memory, length) : default;
        bio.Device = device;
        bio.Submit(this);
    }

    public bool HasEnded => _ended.CurrentCount > 0;

    public BioStatus End()
    {
        Assert.True(_ended.Wait(TimeSpan.FromSeconds(60)), "a bio does not end");
        return _status;
    }

    public void BioEnded(Bio bio)
    {
        _status = bio.Status;
        bio.Return();
        _ended.Release();
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);
}
