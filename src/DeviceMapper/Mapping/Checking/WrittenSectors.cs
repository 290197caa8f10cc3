using System.Collections.Concurrent;
using DeviceMapper.Io;

namespace DeviceMapper.Mapping.Checking;

/// <summary>Sectors that were written to a device which is not to be touched.</summary>
internal sealed class WrittenSectors
{
    private static readonly byte[] _zeroes = new byte[Sector.Size];

    private readonly ConcurrentDictionary<ulong, byte[]> _sectors = new();

    /// <summary>Whether there are none.</summary>
    public bool IsEmpty => _sectors.IsEmpty;

    /// <summary>Keeps the data of a write.</summary>
    public void Keep(Sector at, BioBuffer buffer)
    {
        ulong sector = at.Value;
        for (int done = 0; done < buffer.Length; done += (int)Sector.Size)
        {
            byte[] data = new byte[Sector.Size];
            buffer.Slice(done, data.Length).CopyTo(data);
            _sectors[sector++] = data;
        }
    }

    /// <summary>Keeps zeroes.</summary>
    public void KeepZeroes(Sector at, SectorCount count)
    {
        for (ulong i = 0; i < count.Value; i++)
        {
            _sectors[at.Value + i] = _zeroes;
        }
    }

    /// <summary>Puts what was written over what was read from the device.</summary>
    public void CopyOver(Sector at, BioBuffer buffer)
    {
        ulong sector = at.Value;
        for (int done = 0; done < buffer.Length; done += (int)Sector.Size)
        {
            if (_sectors.TryGetValue(sector++, out byte[]? data))
            {
                buffer.Slice(done, data.Length).CopyFrom(data);
            }
        }
    }
}
