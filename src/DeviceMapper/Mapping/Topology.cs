using DeviceMapper.Native;

namespace DeviceMapper.Mapping;

/// <summary>
/// Keeps mapped devices from leading back to themselves. The kernel resumes such a table, and hangs; here the resume is refused before
/// anything is suspended.
/// </summary>
/// <remarks>
/// The lock makes the check of one device and the entry of its table one step, so that two devices that are resumed at once
/// cannot each close the other half of a cycle.
/// </remarks>
internal sealed class Topology
{
    private readonly Lock _lock = new();
    private readonly Dictionary<MappedDevice, Table> _entering = []; // tables that are about to be live

    /// <summary>Takes a device's inactive table, if there is one, to make it live; it counts as live from now until <see cref="Leave"/>.</summary>
    /// <param name="device">Whose.</param>
    /// <param name="take">Takes it.</param>
    /// <param name="putBack">Puts it back where it is refused.</param>
    /// <exception cref="DmException">EINVAL: it leads back to the device; the sentence prints the way.</exception>
    public Table? Enter(MappedDevice device, Func<Table?> take, Action<Table> putBack)
    {
        Table? table;
        string? cycle;
        lock (_lock)
        {
            table = take();
            if (table is null)
            {
                return null;
            }

            cycle = FindCycle(device, table);
            if (cycle is null)
            {
                _entering[device] = table;
                return table;
            }
        }

        putBack(table);
        throw new DmException(Errno.EINVAL, $"the table of '{device.Name}' leads back to itself ({cycle}); the live table goes on");
    }

    /// <summary>The table is live, or will not be.</summary>
    public void Leave(MappedDevice device)
    {
        lock (_lock)
        {
            _entering.Remove(device);
        }
    }

    /// <summary>Warns of a table that would be refused at the resume as things are now.</summary>
    public IEnumerable<string> Warn(MappedDevice device, Table table)
    {
        string? cycle;
        lock (_lock)
        {
            cycle = FindCycle(device, table);
        }

        return cycle is null ? [] : [$"the table of '{device.Name}' leads back to itself ({cycle}); the resume will be refused"];
    }

    /// <summary>A way from a device by its new table back to it, as <c>a → b → a</c>; null if there is none.</summary>
    private string? FindCycle(MappedDevice start, Table table)
    {
        Dictionary<MappedDevice, MappedDevice> cameFrom = [];
        Stack<MappedDevice> next = new();
        Visit(start, MappedDevice.MappedBelow(table));
        while (next.TryPop(out MappedDevice? device))
        {
            IReadOnlyList<MappedDevice> below = _entering.TryGetValue(device, out Table? entering)
                ? [.. MappedDevice.MappedBelow(entering), .. device.MappedBelowLive()]
                : device.MappedBelowLive();
            if (below.Contains(start))
            {
                return Way(start, device, cameFrom);
            }

            Visit(device, below);
        }

        return null;

        void Visit(MappedDevice from, IReadOnlyList<MappedDevice> below)
        {
            foreach (MappedDevice device in below)
            {
                if (cameFrom.TryAdd(device, from))
                {
                    next.Push(device);
                }
            }
        }
    }

    private static string Way(MappedDevice start, MappedDevice last, Dictionary<MappedDevice, MappedDevice> cameFrom)
    {
        List<string> names = [start.Name];
        for (MappedDevice device = last; device != start; device = cameFrom[device])
        {
            names.Add(device.Name);
        }

        names.Add(start.Name);
        names.Reverse();
        return string.Join(" → ", names);
    }
}
