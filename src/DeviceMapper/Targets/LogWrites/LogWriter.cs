using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.LogWrites;

/// <summary>
/// Writes entries to a log device, in order, each with its data in one bio. Entries may be under way together; the super block is
/// written behind a mark and behind a write that is durable by itself, when all before it are there.
/// </summary>
internal sealed class LogWriter : IBioCompletion
{
    private readonly DeviceReference _device;
    private readonly int _blockSize; // bytes
    private readonly Action<string> _stopped;
    private readonly object _lock = new(); // guards all below; pulsed when nothing is under way any more
    private LoggedBioList _waiting;
    private LoggedBioList _free; // to be used again
    private Sector _next; // of the log, where the next entry goes
    private ulong _entries;
    private int _underWay; // bios
    private bool _pumping; // some thread takes from _waiting
    private bool _superWanted; // before anything else is sent
    private bool _enabled = true;
    private bool _proven; // an entry has been written: until then they go one by one, so that a device that fails is noticed at the first

    /// <summary>An empty log: nothing is written until there is an entry.</summary>
    public LogWriter(DeviceReference device, uint blockSize, Action<string> stopped)
    {
        _device = device;
        _blockSize = (int)blockSize;
        _stopped = stopped;
        _next = Sector.FromBytes(blockSize);
    }

    /// <summary>Whether entries are still written: not after the log device was full, or failed.</summary>
    public bool IsEnabled => Volatile.Read(ref _enabled);

    /// <summary>How many entries there are, and the sector before the next (which is what the status line prints).</summary>
    public (ulong Entries, ulong LastSector) Position
    {
        get
        {
            lock (_lock)
            {
                return (_entries, _next.Value - 1);
            }
        }
    }

    /// <summary>Makes an entry with room for its data. Its memory is filled but for the data.</summary>
    public LoggedBio CreateEntry(Sector sector, SectorCount count, LogFlags flags, bool hasData) => CreateEntry(
        new LogEntry(sector.Bytes / (ulong)_blockSize, count.Bytes / (ulong)_blockSize, flags, 0), hasData ? (int)count.Bytes : 0);

    /// <summary>Makes a mark. A text that does not fit is cut.</summary>
    public LoggedBio CreateMark(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = Math.Min(bytes.Length, _blockSize - LogEntry.Size - 1);
        LoggedBio bio = CreateEntry(new LogEntry(0, 0, LogFlags.Mark, (ulong)length), 0);
        bytes.AsSpan(0, length).CopyTo(bio.Memory!.Buffer.Slice(0, _blockSize).Span[LogEntry.Size..]);
        return bio;
    }

    /// <summary>Where the data of an entry goes.</summary>
    public BioBuffer DataOf(LoggedBio bio) => bio.Memory!.Buffer.Slice(_blockSize, bio.Memory.Buffer.Length - _blockSize);

    /// <summary>Has entries written.</summary>
    public void Write(ref LoggedBioList bios)
    {
        lock (_lock)
        {
            _waiting.AddAll(ref bios);
        }

        Pump();
    }

    /// <summary>Waits until all entries, and the super block that they ask for, are written or given up.</summary>
    public void Drain()
    {
        Pump();
        lock (_lock)
        {
            while (_pumping || _underWay > 0)
            {
                Monitor.Wait(_lock);
            }
        }
    }

    /// <inheritdoc/>
    public void BioEnded(Bio bio)
    {
        BioStatus status = bio.Status;
        ((BioMemory)bio.Context!).Return();
        bio.Return();
        if (status != BioStatus.Ok)
        {
            Stop($"the log device failed ({status})");
        }

        lock (_lock)
        {
            _underWay--;
            _proven |= status == BioStatus.Ok;
            if (_pumping || _underWay > 0)
            {
                return;
            }

            _pumping = true;
        }

        SendWaiting();
    }

    private LoggedBio CreateEntry(LogEntry entry, int dataLength)
    {
        BioMemory memory = BioMemory.Rent(_blockSize + dataLength);
        Span<byte> block = memory.Buffer.Slice(0, _blockSize).Span;
        block.Clear();
        entry.Write(block);
        LoggedBio? bio;
        lock (_lock)
        {
            bio = _free.Take();
        }

        bio ??= new LoggedBio();
        (bio.Entry, bio.Memory) = (entry, memory);
        return bio;
    }

    /// <summary>Sends what waits; one thread at a time, so that the order stays.</summary>
    private void Pump()
    {
        lock (_lock)
        {
            if (_pumping)
            {
                return;
            }

            _pumping = true;
        }

        SendWaiting();
    }

    private void SendWaiting()
    {
        while (true)
        {
            Bio? bio;
            BioMemory? dropped;
            lock (_lock)
            {
                if (!TryTakeNext(out bio, out dropped))
                {
                    _pumping = false;
                    Monitor.PulseAll(_lock);
                    return;
                }
            }

            dropped?.Return();
            bio?.Submit(this);
        }
    }

    /// <summary>The next bio to send; or the memory of an entry that is given up, since the log has ended.</summary>
    private bool TryTakeNext(out Bio? bio, out BioMemory? dropped)
    {
        (bio, dropped) = (null, null);
        if (_superWanted && _enabled)
        {
            if (_underWay > 0)
            {
                return false; // the last of them calls again
            }

            _superWanted = false;
            bio = SuperBio();
            return true;
        }

        if (!_proven && _underWay > 0)
        {
            return false;
        }

        LoggedBio? next = _waiting.Take();
        if (next is null)
        {
            return false;
        }

        BioMemory memory = next.Memory!;
        next.Memory = null;
        _free.Add(next);
        if (!_enabled || !TryPlace(memory, out Sector at))
        {
            dropped = memory;
            return true;
        }

        _superWanted = (next.Entry.Flags & (LogFlags.Fua | LogFlags.Mark)) != 0;
        bio = LogBio(at, memory);
        return true;
    }

    /// <summary>Gives an entry its place. The kernel's log ends before the last sector of the device, which stays unused.</summary>
    private bool TryPlace(BioMemory entry, out Sector at)
    {
        at = _next;
        _next += SectorCount.FromBytes((ulong)entry.Buffer.Length);
        SectorCount size = _device.Device.Size;
        if (size.Value != 0 && _next.Value >= size.Value)
        {
            _enabled = false;
            _stopped("the log device is full");
            return false;
        }

        _entries++;
        return true;
    }

    private Bio SuperBio()
    {
        BioMemory memory = BioMemory.Rent(_blockSize);
        Span<byte> block = memory.Buffer.Span;
        block.Clear();
        new LogSuperBlock(_entries, (uint)_blockSize).Write(block);
        return LogBio(default, memory);
    }

    private Bio LogBio(Sector at, BioMemory memory)
    {
        Bio bio = Bio.Rent();
        bio.Operation = BioOperation.Write;
        bio.Device = _device.Device;
        bio.Sector = at;
        bio.Count = SectorCount.FromBytes((ulong)memory.Buffer.Length);
        bio.Buffer = memory.Buffer;
        bio.Context = memory;
        _underWay++;
        return bio;
    }

    private void Stop(string why)
    {
        lock (_lock)
        {
            if (!_enabled)
            {
                return;
            }

            _enabled = false;
        }

        _stopped(why);
    }
}
