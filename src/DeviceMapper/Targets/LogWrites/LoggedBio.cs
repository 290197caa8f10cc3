using DeviceMapper.Io;

namespace DeviceMapper.Targets.LogWrites;

/// <summary>One entry on its way to the log: its block and the data behind it, in one piece of memory. Linked into lists by itself.</summary>
internal sealed class LoggedBio
{
    /// <summary>What happened.</summary>
    public LogEntry Entry;

    /// <summary>A block for the entry, then a copy of the data, as it was when the write was submitted.</summary>
    public BioMemory? Memory;

    /// <summary>Of a flush on its way: the writes that had completed when it came.</summary>
    public LoggedBioList Before;

    /// <summary>The next of its list.</summary>
    public LoggedBio? Next;
}

/// <summary>A list of entries, in order.</summary>
internal struct LoggedBioList
{
    private LoggedBio? _head;
    private LoggedBio? _tail;

    /// <summary>Adds one at the end.</summary>
    public void Add(LoggedBio bio)
    {
        bio.Next = null;
        if (_tail is null)
        {
            _head = bio;
        }
        else
        {
            _tail.Next = bio;
        }

        _tail = bio;
    }

    /// <summary>Adds all of another list at the end, and empties it.</summary>
    public void AddAll(ref LoggedBioList other)
    {
        if (other._head is null)
        {
            return;
        }

        if (_tail is null)
        {
            _head = other._head;
        }
        else
        {
            _tail.Next = other._head;
        }

        _tail = other._tail;
        other = default;
    }

    /// <summary>Takes the first; null where there is none.</summary>
    public LoggedBio? Take()
    {
        LoggedBio? first = _head;
        if (first is not null)
        {
            _head = first.Next;
            _tail = _head is null ? null : _tail;
            first.Next = null;
        }

        return first;
    }
}
