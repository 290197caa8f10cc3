using DeviceMapper.Io;

namespace DeviceMapper.Tests.Infrastructure;

/// <summary>A thread that ends bios of fake devices: later, and in an order of its own, as real devices do.</summary>
public sealed class ShufflingThread : IDisposable
{
    private readonly List<(FakeDevice Device, Bio Bio)> _bios = [];
    private readonly Random _random;
    private readonly Thread _thread;
    private bool _over;

    public ShufflingThread(int seed)
    {
        _random = new Random(seed);
        _thread = new Thread(Work) { IsBackground = true, Name = "shuffling" };
        _thread.Start();
    }

    internal void Add(FakeDevice device, Bio bio)
    {
        lock (_bios)
        {
            if (!_over)
            {
                _bios.Add((device, bio));
                Monitor.Pulse(_bios);
                return;
            }
        }

        device.Complete(bio); // a target that writes at its disposal
    }

    /// <summary>Ends what is left.</summary>
    public void Dispose()
    {
        lock (_bios)
        {
            _over = true;
            Monitor.Pulse(_bios);
        }

        _thread.Join();
    }

    private void Work()
    {
        while (Take() is { } next)
        {
            next.Device.Complete(next.Bio);
        }
    }

    private (FakeDevice Device, Bio Bio)? Take()
    {
        lock (_bios)
        {
            while (_bios.Count == 0)
            {
                if (_over)
                {
                    return null;
                }

                Monitor.Wait(_bios);
            }

            int index = _random.Next(_bios.Count);
            (FakeDevice Device, Bio Bio) next = _bios[index];
            _bios[index] = _bios[^1];
            _bios.RemoveAt(_bios.Count - 1);
            return next;
        }
    }
}
