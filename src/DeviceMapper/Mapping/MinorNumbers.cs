using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Mapping;

/// <summary>The minors of one major: the lowest free one is given first, as the kernel does.</summary>
internal sealed class MinorNumbers
{
    private readonly Lock _lock = new();
    private readonly HashSet<uint> _taken = [];
    private uint _lowest; // no free minor is lower

    /// <summary>Takes the lowest free minor.</summary>
    public uint Take()
    {
        lock (_lock)
        {
            while (_taken.Contains(_lowest))
            {
                _lowest++;
            }

            if (_lowest > DeviceNumber.MaxMinor)
            {
                throw new DmException(Errno.EBUSY, "all device numbers are in use");
            }

            _taken.Add(_lowest);
            return _lowest++;
        }
    }

    /// <summary>Takes a minor that the user chose.</summary>
    /// <exception cref="DmException">EINVAL: beyond 2^20 - 1. EBUSY: taken.</exception>
    public uint Take(uint minor)
    {
        if (minor > DeviceNumber.MaxMinor)
        {
            throw new DmException(Errno.EINVAL, $"minor number {minor} is larger than {DeviceNumber.MaxMinor}");
        }

        lock (_lock)
        {
            return _taken.Add(minor) ? minor : throw new DmException(Errno.EBUSY, $"minor number {minor} is in use");
        }
    }

    /// <summary>Gives a minor back.</summary>
    public void Free(uint minor)
    {
        lock (_lock)
        {
            _taken.Remove(minor);
            _lowest = Math.Min(_lowest, minor);
        }
    }
}
