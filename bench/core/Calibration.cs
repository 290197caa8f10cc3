using BenchmarkDotNet.Attributes;

namespace Core;

/// <summary>What this machine does in the same run: figures are to be read beside these.</summary>
public class Calibration
{
    private readonly byte[] _from = new byte[4096];
    private readonly byte[] _to = new byte[4096];
    private long _number;

    /// <summary>An atomic addition that nobody contends for.</summary>
    [Benchmark]
    public long InterlockedAdd() => Interlocked.Add(ref _number, 1);

    /// <summary>A copy of 4 KiB in the processor's caches.</summary>
    [Benchmark]
    public void Copy4KiB() => _from.CopyTo(_to, 0);
}
