using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Snapshots;

/// <summary>
/// The two devices of a snapshot as one table has them open, with a count of the copies that use them: these may go on after a
/// handover, and the table waits for them before it closes its devices.
/// </summary>
internal sealed class SnapshotDevices(DeviceReference origin, DeviceReference cow)
{
    private readonly object _idle = new();
    private int _users;

    /// <summary>What the snapshot was taken of.</summary>
    public BlockDevice Origin => origin.Device;

    /// <summary>Where its chunks are.</summary>
    public BlockDevice Cow => cow.Device;

    /// <summary>A copy begins.</summary>
    public void Enter() => Interlocked.Increment(ref _users);

    /// <summary>A copy has ended.</summary>
    public void Exit()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            lock (_idle)
            {
                Monitor.PulseAll(_idle);
            }
        }
    }

    /// <summary>Waits until no copy uses them; new ones do not come any more.</summary>
    public void WaitUntilIdle()
    {
        lock (_idle)
        {
            while (Volatile.Read(ref _users) != 0)
            {
                Monitor.Wait(_idle);
            }
        }
    }
}
