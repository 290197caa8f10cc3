using System.Runtime.InteropServices;
using DeviceMapper.Io;

namespace DeviceMapper.Tests.Backends;

/// <summary>Does one I/O on a backend, and waits for its end.</summary>
internal static class BackendIo
{
    public static BioStatus Do(
        BlockDevice device, BioOperation operation, ulong sector, ulong count, BioBuffer buffer = default, BioFlags flags = BioFlags.None)
    {
        using Ended ended = new();
        Bio bio = Bio.Rent();
        bio.Device = device;
        bio.Operation = operation;
        bio.Flags = flags;
        bio.Sector = new Sector(sector);
        bio.Count = new SectorCount(count);
        bio.Buffer = buffer;
        bio.Submit(ended);
        ended.Wait();
        BioStatus status = bio.Status;
        bio.Return();
        return status;
    }

    public static BioStatus Read(BlockDevice device, ulong sector, Span<byte> data, BioFlags flags = BioFlags.None)
    {
        using NativeBuffer buffer = new(data.Length);
        BioStatus status = Do(device, BioOperation.Read, sector, (ulong)data.Length / Sector.Size, buffer.Whole, flags);
        buffer.Span.CopyTo(data);
        return status;
    }

    public static BioStatus Write(BlockDevice device, ulong sector, ReadOnlySpan<byte> data, BioFlags flags = BioFlags.None)
    {
        using NativeBuffer buffer = new(data.Length);
        data.CopyTo(buffer.Span);
        return Do(device, BioOperation.Write, sector, (ulong)data.Length / Sector.Size, buffer.Whole, flags);
    }

    /// <summary>A pattern that differs from sector to sector.</summary>
    public static byte[] Pattern(int seed, int bytes)
    {
        byte[] data = new byte[bytes];
        new Random(seed).NextBytes(data);
        return data;
    }

    private sealed class Ended : IBioCompletion, IDisposable
    {
        private readonly ManualResetEventSlim _ended = new();
        private int _times;

        public void BioEnded(Bio bio)
        {
            Interlocked.Increment(ref _times);
            _ended.Set();
        }

        public void Dispose() => _ended.Dispose();

        public void Wait()
        {
            Assert.True(_ended.Wait(TimeSpan.FromSeconds(60)), "the bio does not end");
            Assert.Equal(1, _times);
        }
    }
}

/// <summary>Native memory at a chosen distance from a multiple of 4096.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private readonly void* _memory;

    public NativeBuffer(int length, int misalignment = 0)
    {
        _memory = NativeMemory.AlignedAlloc((nuint)(length + misalignment + 1), 4096);
        Address = (nint)_memory + misalignment;
        Length = length;
        Span.Clear();
    }

    public nint Address { get; }

    public int Length { get; }

    public BioBuffer Whole => new(Address, Length);

    public Span<byte> Span => new((void*)Address, Length);

    public void Dispose() => NativeMemory.AlignedFree(_memory);
}
