using DeviceMapper.Io;

namespace DeviceMapper.Mapping;

/// <summary>Bios that wait, linked by themselves: first those that were handed back, then those that came later.</summary>
internal sealed class BioList
{
    private Bio? _head;
    private Bio? _tail;
    private Bio? _lastHandedBack;

    /// <summary>How many.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a bio that has just come.</summary>
    public void Add(Bio bio)
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
        Count++;
    }

    /// <summary>Adds a bio that was in flight before any of those that have only come: after others like it, before the rest.</summary>
    public void AddBeforeParked(Bio bio)
    {
        if (_lastHandedBack is null)
        {
            bio.Next = _head;
            _head = bio;
        }
        else
        {
            bio.Next = _lastHandedBack.Next;
            _lastHandedBack.Next = bio;
        }

        _tail = bio.Next is null ? bio : _tail;
        _lastHandedBack = bio;
        Count++;
    }

    /// <summary>Takes them all.</summary>
    /// <returns>The first; the others follow by <see cref="Bio.Next"/>.</returns>
    public Bio? TakeAll()
    {
        Bio? head = _head;
        _head = _tail = _lastHandedBack = null;
        Count = 0;
        return head;
    }
}
