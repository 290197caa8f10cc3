using BenchmarkDotNet.Attributes;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace Core;

/// <summary>The target of a sector, in tables of one and of 100,000 targets: the search alone.</summary>
public class Lookup
{
    private const int Group = 64; // look-ups of a call, whose own cost would be as large as theirs

    private readonly Sector[] _random = new Sector[1 << 16];
    private readonly Sector[] _sequential = new Sector[1 << 16];
    private DeviceRegistry? _registry;
    private Table? _table;
    private BioThread? _thread;
    private int _index;

    /// <summary>Targets of the table.</summary>
    [Params(1, 100_000)]
    public int Targets { get; set; }

    /// <summary>Sectors of a target: an extent of LVM's, and two bios, where every other look-up has to go on to the next target.</summary>
    [Params(8192, 16)]
    public int Length { get; set; }

    /// <summary>Makes the table.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _registry = NullDevice.Registry();
        TableLine[] lines = [.. Enumerable.Range(0, Targets).Select(i => new TableLine(new Sector((ulong)i * (ulong)Length), new SectorCount((ulong)Length), "linear", "null 0"))];
        _table = Table.Build(_registry.Create("m"), lines, DeviceMode.ReadWrite, CancellationToken.None);
        _thread = BioThread.Current;
        ulong size = _table.Size.Value;
        Random random = new(1);
        for (int i = 0; i < _random.Length; i++)
        {
            _random[i] = new Sector((ulong)random.NextInt64((long)size));
            _sequential[i] = new Sector((ulong)i * 8 % size);
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
    /// <returns>The last target.</returns>
    [Benchmark(OperationsPerInvoke = Group)]
    public object Sequential() => Find(_sequential);

    /// <summary>Anywhere.</summary>
    /// <returns>The last target.</returns>
    [Benchmark(OperationsPerInvoke = Group)]
    public object Random() => Find(_random);

    private object Find(Sector[] sectors)
    {
        Table table = _table!;
        BioThread thread = _thread!;
        object target = table;
        for (int i = 0; i < Group; i++)
        {
            target = table.Find(sectors[_index++ & 0xffff], thread);
        }

        return target;
    }
}
