using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Tests.Infrastructure;

/// <content>The way to it, where that can be lost and come back.</content>
public sealed partial class FakeDevice
{
    private int _connection = 1;

    private event Action? ConnectionChanged;

    /// <summary>Whether open ones tell of the connection, as those of servers on the network do.</summary>
    public bool IsWatched { get; init; }

    /// <summary>Whether it can be reached.</summary>
    public bool IsConnected { get; private set; } = true;

    /// <summary>Whether writes that it gave up can no longer be applied; as <see cref="IsConnected"/> unless set.</summary>
    public bool? IsSettled { get; private set; }

    /// <summary>What its write cache is shared with.</summary>
    public string? CacheDomain { get; init; }

    /// <summary>What its server may have kept is over.</summary>
    public void Settle()
    {
        IsSettled = true;
        ConnectionChanged?.Invoke();
    }

    /// <summary>Its server is stopped, and may do later what it was told.</summary>
    public void Stop()
    {
        IsSettled = false;
        Disconnect();
    }

    /// <summary>Its server goes away: its bios end with <see cref="BioStatus.Transport"/>.</summary>
    /// <param name="tell">Open ones say so.</param>
    public void Disconnect(bool tell = true)
    {
        IsConnected = false;
        Answer = _ => BioStatus.Transport;
        if (tell)
        {
            ConnectionChanged?.Invoke();
        }
    }

    /// <summary>Its server is back.</summary>
    public void Connect()
    {
        Answer = null;
        IsConnected = true;
        _connection++;
        ConnectionChanged?.Invoke();
    }

    /// <summary>An open one that tells of the connection.</summary>
    private sealed class WatchedOpened(FakeDevice device, DeviceMode mode) : Opened(device, mode), IPathMonitor
    {
        private readonly FakeDevice _device = device;

        public event Action? StateChanged
        {
            add => _device.ConnectionChanged += value;
            remove => _device.ConnectionChanged -= value;
        }

        public bool IsConnected => _device.IsConnected;

        public int Connection => _device._connection;

        public bool IsSettled => _device.IsSettled ?? _device.IsConnected;
    }
}
