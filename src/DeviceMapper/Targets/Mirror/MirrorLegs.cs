using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Mirror;

/// <summary>What failed on a leg.</summary>
[Flags]
internal enum LegErrors
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A write, or a flush that came from above: the leg is out of sync.</summary>
    Write = 1,

    /// <summary>A flush that the log needed.</summary>
    Flush = 2,

    /// <summary>A copy from the default leg.</summary>
    Sync = 4,

    /// <summary>A read.</summary>
    Read = 8,
}

/// <summary>A device of a mirror.</summary>
internal sealed class MirrorLeg(DeviceReference device, Sector offset)
{
    private int _errors;

    /// <summary>Its device.</summary>
    public DeviceReference Device => device;

    /// <summary>Where on it the mirror begins.</summary>
    public Sector Offset => offset;

    /// <summary>Whether nothing has failed on it since all regions were last in sync.</summary>
    public bool IsAlive => Volatile.Read(ref _errors) == 0;

    /// <summary>Its letter in the status line: the worst of what failed.</summary>
    public char Health => (LegErrors)Volatile.Read(ref _errors) switch
    {
        LegErrors.None => 'A',
        var e when (e & LegErrors.Flush) != 0 => 'F',
        var e when (e & LegErrors.Write) != 0 => 'D',
        var e when (e & LegErrors.Sync) != 0 => 'S',
        _ => 'R',
    };

    /// <summary>Remembers that something failed.</summary>
    /// <returns>False where that had failed before.</returns>
    public bool AddError(LegErrors error) => ((LegErrors)Interlocked.Or(ref _errors, (int)error) & error) == 0;

    /// <summary>Forgets what has failed.</summary>
    public void Forgive() => Volatile.Write(ref _errors, 0);
}

/// <summary>The legs of a mirror, and which of them is the default: where reads go, and from where regions are copied.</summary>
/// <param name="legs">The legs.</param>
/// <param name="handlesErrors">Whether user space is to be told of errors, and will see to them.</param>
/// <param name="failed">Told of each new kind of error of a leg, with a sentence.</param>
internal sealed class MirrorLegs(MirrorLeg[] legs, bool handlesErrors, Action<string> failed)
{
    private volatile int _default;
    private volatile bool _haveFailed;
    private volatile bool _allInSync;

    /// <summary>How many.</summary>
    public int Count => legs.Length;

    /// <summary>A leg.</summary>
    public MirrorLeg this[int index] => legs[index];

    /// <summary>The index of the default leg.</summary>
    public int Default => _default;

    /// <summary>Whether anything has failed on any since.</summary>
    public bool HaveFailed => _haveFailed;

    /// <summary>Whether all regions were in sync when last looked at: another leg may become the default.</summary>
    public bool AllInSync
    {
        get => _allInSync;
        set => _allInSync = value;
    }

    /// <summary>Whether there is a leg that has not failed.</summary>
    public bool AnyAlive => FirstAlive >= 0;

    private int FirstAlive => Array.FindIndex(legs, static l => l.IsAlive);

    /// <summary>The leg that a read goes to: the default, or in a region that is in sync any before it that has not failed.</summary>
    /// <returns>The index; -1 where there is none.</returns>
    public int ForRead(bool inSync)
    {
        int first = _default;
        int index = first;
        while (!legs[index].IsAlive)
        {
            index = index == 0 ? legs.Length - 1 : index - 1;
            if (!inSync || index == first)
            {
                return -1;
            }
        }

        return index;
    }

    /// <summary>All regions are in sync again: what had failed before counts no more.</summary>
    public void Forgive()
    {
        _haveFailed = false;
        foreach (MirrorLeg leg in legs)
        {
            leg.Forgive();
        }
    }

    /// <summary>
    /// Something failed on a leg. With errors handled, user space is told, and another leg becomes the default: but not one that may have other data.
    /// </summary>
    public void Fail(int index, LegErrors error)
    {
        MirrorLeg leg = legs[index];
        _haveFailed = true;
        if (!leg.AddError(error) || !handlesErrors)
        {
            return;
        }

        string what = $"a {error.ToString().ToLowerInvariant()} failed on leg {leg.Device.Name}";
        if (index == _default)
        {
            int other = FirstAlive;
            if (!_allInSync)
            {
                what += ", from which others are not all copied yet: reads may fail";
            }
            else if (other >= 0)
            {
                _default = other;
            }
            else
            {
                what += ", as on all others";
            }
        }

        failed(what);
    }
}
