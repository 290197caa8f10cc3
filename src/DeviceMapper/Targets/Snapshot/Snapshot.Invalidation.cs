using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Snapshots;

/// <content>The end of a snapshot whose COW device is full, or has failed.</content>
internal sealed partial class Snapshot
{
    private readonly Lock _invalidating = new();
    private readonly BioList _snapshotBiosOfInvalidation = new();
    private readonly BioList _originBiosOfInvalidation = new();
    private volatile bool _invalid;
    private SnapshotDevices? _headerDevices; // guarded by _invalidating: the header is being written there

    /// <summary>Marks it invalid without a word on the COW device: found so, or given up at a handover.</summary>
    public void MarkInvalid() => _invalid = true;

    /// <summary>The COW device says by now that it is invalid: what waited for that goes on.</summary>
    public void Invalidated()
    {
        Bio? snapshotBio;
        Bio? originBio;
        SnapshotDevices devices;
        Table?.RaiseEvent();
        lock (_invalidating)
        {
            devices = _headerDevices!;
            _headerDevices = null;
            snapshotBio = _snapshotBiosOfInvalidation.TakeAll();
            originBio = _originBiosOfInvalidation.TakeAll();
        }

        FailAll(snapshotBio);
        Origin.ExceptionDone();
        Origin.Retry(originBio);
        devices.Exit();
    }

    /// <summary>The COW device is full: the snapshot overflows by itself, or is invalid from now on.</summary>
    /// <returns>Whether the bio waits.</returns>
    private bool Overflow(Bio? bio, bool fromOrigin)
    {
        if (!fromOrigin && Store.Overflows)
        {
            Overflowed = true;
            bio!.End(BioStatus.IoError);
            return true;
        }

        Invalidate();
        if (fromOrigin)
        {
            return WaitsForHeader(bio);
        }

        Fail(bio!);
        return true;
    }

    /// <summary>Begins to mark it invalid, once (the kernel's <c>__invalidate_snapshot</c>).</summary>
    private void Invalidate()
    {
        lock (_invalidating)
        {
            if (_invalid)
            {
                return;
            }

            _headerDevices = Devices;
            _headerDevices.Enter();
            _invalid = true;
        }

        Store.Invalidate(this);
    }

    /// <summary>
    /// The origin may not be overwritten before the COW device says that it is invalid: after a crash, the snapshot would show new data.
    /// </summary>
    private bool WaitsForHeader(Bio? bio)
    {
        lock (_invalidating)
        {
            if (_headerDevices is not null && bio is not null)
            {
                _originBiosOfInvalidation.Add(bio);
            }

            return _headerDevices is not null;
        }
    }

    private void FailAll(Bio? bio)
    {
        while (bio is not null)
        {
            Bio? next = bio.Next;
            bio.Next = null;
            Fail(bio);
            bio = next;
        }
    }

    /// <summary>Ends a bio with EIO, but not before the COW device says that it is invalid, where it does.</summary>
    private void Fail(Bio bio)
    {
        lock (_invalidating)
        {
            if (_headerDevices is not null)
            {
                _snapshotBiosOfInvalidation.Add(bio);
                return;
            }
        }

        bio.End(BioStatus.IoError);
    }
}
