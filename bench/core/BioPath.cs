using BenchmarkDotNet.Attributes;
using DeviceMapper.Mapping;

namespace Core;

/// <summary>A 4 KiB bio through linear devices that stand on each other, over a null device: submitted, mapped, ended, given back.</summary>
public class BioPath
{
    private DeviceRegistry? _registry;
    private Submitter? _submitter;

    /// <summary>How many linear devices.</summary>
    [Params(1, 2, 4, 8)]
    public int Depth { get; set; }

    /// <summary>Makes the stack.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _registry = NullDevice.Registry();
        _submitter = new Submitter(NullDevice.Stack(_registry, Depth));
    }

    /// <summary>Takes it down.</summary>
    [GlobalCleanup]
    public void Cleanup() => _registry!.Dispose();

    /// <summary>One bio.</summary>
    [Benchmark]
    public void Read4KiB() => _submitter!.Submit(800);

    /// <summary>What a bio allocates on the thread that submits it, in a stack of so many: the mean of a million, once all is compiled.</summary>
    /// <returns>Bytes.</returns>
    public static double Allocated(int depth)
    {
        const int Bios = 1_000_000;
        using DeviceRegistry registry = NullDevice.Registry();
        Submitter submitter = new(NullDevice.Stack(registry, depth));
        long before = 0;
        for (int i = -Bios; i < Bios; i++)
        {
            if (i == 0)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
            }

            submitter.Submit(800);
        }

        return (double)(GC.GetAllocatedBytesForCurrentThread() - before) / Bios;
    }
}
