using BenchmarkDotNet.Attributes;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace Core;

/// <summary>The target of a sector, in tables of one and of 100,000 targets: the search alone.</summary>
public class Lookup
{
    private const int Length = 16; // sectors of a target

    private readonly Sector[] _random = new Sector[1 << 16];
    private DeviceRegistry? _registry;
    private Table? _table;
    private BioThread? _thread;
    private ulong _sectors;
    private ulong _next;
    private int _index;

    /// <summary>Targets of the table.</summary>
    [Params(1, 100_000)]
    public int Targets { get; set; }

    /// <summary>Makes the table.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _registry = NullDevice.Registry();
        TableLine[] lines = [.. Enumerable.Range(0, Targets).Select(i => new TableLine(new Sector((ulong)i * Length), new SectorCount(Length), "linear", "null 0"))];
        _table = Table.Build(_registry.Create("m"), lines, DeviceMode.ReadWrite, CancellationToken.None);
        _thread = BioThread.Current;
        _sectors = _table.Size.Value;
        Random random = new(1);
        for (int i = 0; i < _random.Length; i++)
        {
            _random[i] = new Sector((ulong)random.NextInt64((long)_sectors));
        }
    }

    /// <summary>Takes it down.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _table!.Destroy();
        _registry!.Dispose();
    }

    /// <summary>Eight sectors on from the last.</summary>
    [Benchmark]
    public object Sequential()
    {
        _next += 8;
        if (_next >= _sectors)
        {
            _next = 0;
        }

        return _table!.Find(new Sector(_next), _thread!);
    }

    /// <summary>Anywhere.</summary>
    [Benchmark]
    public object Random() => _table!.Find(_random[_index++ & 0xffff], _thread!);
}
