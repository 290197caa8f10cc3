using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Fault;

/// <summary>A write that a volatile cache holds.</summary>
internal sealed class CachedWrite
{
    private readonly byte[] _data; // pinned: bios write it to the device below

    /// <summary>Copies what is written.</summary>
    public CachedWrite(long number, ulong sector, BioBuffer data)
    {
        Number = number;
        Sector = sector;
        _data = GC.AllocateUninitializedArray<byte>(data.Length, pinned: true);
        data.CopyTo(_data);
    }

    /// <summary>The order of completion.</summary>
    public long Number { get; }

    /// <summary>Its first sector on the device below.</summary>
    public ulong Sector { get; }

    /// <summary>How many sectors.</summary>
    public ulong Count => (ulong)_data.Length / Io.Sector.Size;

    /// <summary>The content of one of its sectors.</summary>
    public ReadOnlySpan<byte> Content(ulong sector) => _data.AsSpan((int)(sector - Sector) * Io.Sector.Size, Io.Sector.Size);

    /// <summary>A run of its sectors; it must stay reachable while a bio uses the memory.</summary>
    public unsafe SectorRun Run(ulong sector, ulong count)
    {
        nint start = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_data));
        return new SectorRun(sector, new BioBuffer(start + ((nint)(sector - Sector) * Io.Sector.Size), (int)count * Io.Sector.Size));
    }
}

/// <summary>Sectors and the write that each of them has its content of: the later of two writes wins.</summary>
internal sealed class SectorContents
{
    private readonly SortedDictionary<ulong, CachedWrite> _sectors = [];

    /// <summary>How many sectors.</summary>
    public int Count => _sectors.Count;

    /// <summary>A sector has the content that a write gave it.</summary>
    public void Set(ulong sector, CachedWrite write) => _sectors[sector] = write;

    /// <summary>The sectors in runs as long as can be, in order.</summary>
    public IReadOnlyList<SectorRun> ToRuns()
    {
        List<SectorRun> runs = [];
        (ulong start, ulong count, CachedWrite? of) = (0, 0, null);
        foreach ((ulong sector, CachedWrite write) in _sectors)
        {
            if (of == write && sector == start + count)
            {
                count++;
                continue;
            }

            if (of is not null)
            {
                runs.Add(of.Run(start, count));
            }

            (start, count, of) = (sector, 1, write);
        }

        if (of is not null)
        {
            runs.Add(of.Run(start, count));
        }

        return runs;
    }
}

/// <summary>What a cache had of the sectors of a read when that was submitted.</summary>
internal sealed class CachedRead(ulong sector, CachedWrite?[] writes)
{
    /// <summary>Whether it had all of them.</summary>
    public bool IsComplete => Array.TrueForAll(writes, w => w is not null);

    /// <summary>Puts what it had over what was read from the device below.</summary>
    public void CopyTo(BioBuffer buffer)
    {
        for (int i = 0; i < writes.Length; i++)
        {
            if (writes[i] is { } write)
            {
                buffer.Slice(i * Sector.Size, Sector.Size).CopyFrom(write.Content(sector + (ulong)i));
            }
        }
    }
}
