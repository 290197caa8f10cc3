using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Nbd.Tests;

/// <summary>Exports follow their devices.</summary>
public sealed class ExportTests
{
    private const int Timeout = 60_000;
    private const uint Unknown = (1u << 31) | 6;

    [Fact(Timeout = Timeout)]
    public void An_export_is_there_from_the_first_resume_under_its_present_name_until_the_removal()
    {
        using ServedRegistry served = new();
        MappedDevice device = served.Registry.Create("d");
        Assert.Equal(Unknown, Go(served, "d"));
        device.LoadTable("0 8 zero", DeviceMode.ReadWrite);
        Assert.Equal(Unknown, Go(served, "d"));
        device.Resume();
        Assert.Equal(1u, Go(served, "d"));
        served.Registry.Rename(device, "e");
        Assert.Equal(Unknown, Go(served, "d"));
        Assert.Equal(1u, Go(served, "e"));
        served.Registry.Remove(device);
        Assert.Equal(Unknown, Go(served, "e"));
    }

    [Fact(Timeout = Timeout)]
    public void The_empty_name_is_the_only_device()
    {
        using ServedRegistry served = new();
        Assert.Equal(Unknown, Go(served, ""));
        served.Create("d");
        Assert.Equal(1u, Go(served, ""));
        served.Create("e");
        Assert.Equal(Unknown, Go(served, ""));
    }

    [Fact(Timeout = Timeout)]
    public void A_connected_device_is_not_removed_and_a_closed_connection_counts_at_once()
    {
        using ServedRegistry served = new();
        MappedDevice device = served.Create("d");
        using (RawClient client = new(served.Socket))
        {
            client.Go("d");
            Assert.Equal(1, device.OpenCount);
            Assert.Equal(Errno.EBUSY, Assert.Throws<DmException>(() => served.Registry.Remove(device)).Errno);
        }

        served.Registry.Remove(device);
    }

    [Fact(Timeout = Timeout)]
    public void Requests_beyond_the_present_end_are_refused_and_new_room_is_used()
    {
        using ServedRegistry served = new();
        served.Create("d", 16);
        using RawClient client = new(served.Socket);
        client.Go("d");
        client.Request(4, 8192, 512);
        Assert.Equal(28u, client.SimpleReply());
        served.Swap("d", "0 32 disk d");
        client.Request(4, 8192, 512);
        Assert.Equal(0u, client.SimpleReply());
        served.Swap("d", "0 8 disk d");
        client.Request(4, 4096, 512);
        Assert.Equal(28u, client.SimpleReply());
    }

    [Fact(Timeout = Timeout)]
    public void Requests_to_a_suspended_device_wait_for_the_resume()
    {
        using ServedRegistry served = new();
        MappedDevice device = served.Create("d");
        using RawClient client = new(served.Socket);
        client.Go("d");
        device.Suspend();
        client.Request(3, 0, 0);
        Assert.True(SpinWait.SpinUntil(() => device.Parked == 1, TimeSpan.FromSeconds(30)));
        Assert.Equal(0, client.Socket.Available);
        device.Resume();
        Assert.Equal(0u, client.SimpleReply());
    }

    [Fact(Timeout = Timeout)]
    public void Disconnect_ends_the_connections_of_a_device_only()
    {
        using ServedRegistry served = new();
        served.Create("d");
        served.Create("e");
        using RawClient d = new(served.Socket), e = new(served.Socket);
        d.Go("d");
        e.Go("e");
        Assert.Equal(1, served.Server.Disconnect(connection => connection.Device == "d"));
        Assert.True(d.IsClosed());
        e.Request(3, 0, 0);
        Assert.Equal(0u, e.SimpleReply());
        Assert.Equal("e", Assert.Single(served.Server.Connections).Device);
    }

    private static uint Go(ServedRegistry served, string name)
    {
        using RawClient client = new(served.Socket);
        uint answer = client.Go(name);
        client.Dispose();
        served.Server.Settle();
        return answer;
    }
}
