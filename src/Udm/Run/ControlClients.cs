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
        ControlClient client = Take();
        try
        {
            return action(client);
        }
        finally
        {
            Return(client);
        }
    }

    /// <summary>A connection for the caller alone, until it is returned.</summary>
    public ControlClient Take() => _idle.TryTake(out ControlClient? client) ? client : new ControlClient(socket);

    /// <summary>Takes one back; if it was lost, it connects again.</summary>
    public void Return(ControlClient client) => _idle.Add(client);
}
