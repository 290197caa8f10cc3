using System.Net.Sockets;

namespace DeviceMapper.Nbd.Tests;

/// <summary>Clients that do not keep to the protocol, or to good manners.</summary>
public sealed class BadClientTests
{
    private const int Timeout = 120_000;
    private const uint Unsupported = (1u << 31) | 1, Invalid = (1u << 31) | 3, Unknown = (1u << 31) | 6, BlockSizeRequired = (1u << 31) | 8, TooBig = (1u << 31) | 9;

    [Theory(Timeout = Timeout)]
    [InlineData(4711u, new byte[] { 1, 2, 3 }, Unsupported)]
    [InlineData(7u, new byte[] { }, Invalid)]
    [InlineData(7u, new byte[] { 0, 0, 0, 200, 1 }, Invalid)]
    [InlineData(7u, new byte[] { 0xff, 0xff, 0xff, 0xff, 1 }, Invalid)]
    [InlineData(7u, new byte[] { 0, 0, 0, 1, 100, 0, 9, 0, 3 }, Invalid)]
    [InlineData(7u, new byte[] { 0, 0, 0, 1, 120, 0, 0 }, Unknown)]
    [InlineData(7u, new byte[] { 0, 0, 0, 1, 98, 0, 0 }, BlockSizeRequired)]
    [InlineData(3u, new byte[] { 1 }, Invalid)]
    [InlineData(8u, new byte[] { 1 }, Invalid)]
    [InlineData(10u, new byte[] { 0, 0, 0, 1, 100, 0, 0, 0, 0 }, Invalid)]
    [InlineData(9u, new byte[] { 0, 0, 0, 1, 100, 0xff, 0xff, 0xff, 0xff }, Invalid)]
    public void A_malformed_option_is_refused_and_the_next_one_is_answered(uint option, byte[] data, uint answer)
    {
        using ServedRegistry served = Serve();
        using RawClient client = new(served.Socket);
        client.Option(option, data);
        Assert.Equal(answer, client.LastReply());
        Assert.Equal(1u, client.Go("d"));
    }

    [Fact(Timeout = Timeout)]
    public void An_option_that_is_too_long_is_skipped_and_one_that_is_far_too_long_ends_the_connection()
    {
        using ServedRegistry served = Serve();
        using RawClient client = new(served.Socket);
        client.Option(3, new byte[1 << 20]);
        Assert.Equal(TooBig, client.LastReply());
        Assert.Equal(1u, client.Go("d"));
        using RawClient other = new(served.Socket);
        other.Option(3, [], uint.MaxValue);
        Assert.True(other.IsClosed());
    }

    [Fact(Timeout = Timeout)]
    public void Nonsense_ends_the_connection()
    {
        using ServedRegistry served = Serve();
        using RawClient flags = new(served.Socket, greet: false);
        flags.Receive(18);
        flags.Send(0xff, 0, 0, 3);
        Assert.True(flags.IsClosed());
        using RawClient magic = new(served.Socket);
        magic.Send(new byte[64]);
        Assert.True(magic.IsClosed());
        using RawClient request = new(served.Socket);
        request.Go("d");
        request.Send(new byte[64]);
        Assert.True(request.IsClosed());
        AssertServes(served);
    }

    [Theory(Timeout = Timeout)]
    [InlineData(99, 0, 512, 0, 22)]
    [InlineData(0, 0, 512, 0x8000, 22)]
    [InlineData(0, 0, 0, 0, 22)]
    [InlineData(0, ulong.MaxValue - 511, 512, 0, 22)]
    [InlineData(0, 8 << 20, 512, 0, 22)]
    [InlineData(4, ulong.MaxValue - 511, 1024, 0, 28)]
    [InlineData(0, 0, uint.MaxValue - 511, 0, 22)]
    [InlineData(7, 0, 512, 0, 22)]
    public void A_request_that_cannot_be_done_is_refused(ushort command, ulong offset, uint length, ushort flags, uint error)
    {
        using ServedRegistry served = Serve();
        using RawClient client = new(served.Socket);
        client.Go("d");
        client.Request(command, offset, length, flags: flags);
        Assert.Equal(error, client.SimpleReply());
        client.Request(3, 0, 0);
        Assert.Equal(0u, client.SimpleReply());
    }

    [Theory(Timeout = Timeout)]
    [InlineData(4096u, 100)]
    [InlineData(1048576u, 300_000)]
    public void Half_a_write_changes_whole_blocks_or_nothing_and_frees_the_device(uint length, int sent)
    {
        using ServedRegistry served = Serve();
        using (RawClient client = new(served.Socket))
        {
            client.Go("d");
            client.Request(1, 0, length);
            client.Send([.. Enumerable.Repeat((byte)9, sent)]);
        }

        served.Server.Settle();
        Assert.Equal(0, served.Registry.FindByName("d")!.OpenCount);
        Assert.Equal(0, served.Disk("d").Data[..(int)length].Count((byte)9) % 512);
    }

    [Fact(Timeout = Timeout)]
    public void A_client_that_never_reads_holds_up_nobody_and_little_memory()
    {
        using ServedRegistry served = Serve();
        served.Disk("d").Asynchronous = true;
        using RawClient client = new(served.Socket);
        client.Go("d");
        client.Socket.SendTimeout = 1000;
        long before = System.Diagnostics.Process.GetCurrentProcess().WorkingSet64;
        try
        {
            for (int i = 0; i < 20_000; i++)
            {
                client.Request(0, 0, 1 << 20);
            }
        }
        catch (SocketException)
        {
            // The server takes no more from it.
        }

        AssertServes(served);
        Assert.True(System.Diagnostics.Process.GetCurrentProcess().WorkingSet64 - before < 256 << 20);
    }

    [Fact(Timeout = Timeout)]
    public void Thousands_of_connects_and_a_flood_of_lists_keep_nobody_else_out()
    {
        using ServedRegistry served = Serve();
        int connects = Environment.GetEnvironmentVariable("UDM_TEST_LONG") is null ? 200 : 10_000;
        for (int i = 0; i < connects; i++)
        {
            using RawClient client = new(served.Socket, greet: false);
        }

        List<RawClient> idle = [.. Enumerable.Range(0, 260).Select(_ => new RawClient(served.Socket, greet: false))];
        using RawClient flood = new(served.Socket);
        try
        {
            for (int i = 0; i < 2000; i++)
            {
                flood.Option(3, []);
            }
        }
        catch (SocketException)
        {
            // It has been closed.
        }

        Assert.True(flood.IsClosed());
        AssertServes(served);
        idle.ForEach(client => client.Dispose());
        Assert.True(SpinWait.SpinUntil(() => served.Server.Connections.Count == 0, TimeSpan.FromSeconds(30)));
    }

    private static ServedRegistry Serve()
    {
        ServedRegistry served = new();
        served.Disk("b").LogicalBlockSize = 4096;
        served.Create("d");
        served.Create("b");
        return served;
    }

    private static void AssertServes(ServedRegistry served)
    {
        using RawClient client = new(served.Socket);
        Assert.Equal(1u, client.Go("d"));
        client.Request(3, 0, 0);
        Assert.Equal(0u, client.SimpleReply());
    }
}
