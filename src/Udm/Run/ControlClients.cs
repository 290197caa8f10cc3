using System.Collections.Concurrent;
using DeviceMapper.Ioctl;

namespace Udm.Run;

/// <summary>Connections to the daemon, as many as there are calls at once: one that waits holds up no other.</summary>
internal sealed class ControlClients(string socket)
{
    private readonly ConcurrentBag<ControlClient> _idle = [];

    /// <summary>Does something by a connection that nobody else uses meanwhile.</summary>
    public T Use<T>(Func<ControlClient, T> action)
    {
        if (!_idle.TryTake(out ControlClient? client))
        {
            client = new ControlClient(socket);
        }

        try
        {
            return action(client);
        }
        finally
        {
            _idle.Add(client); // one that was lost connects again
        }
    }
}
