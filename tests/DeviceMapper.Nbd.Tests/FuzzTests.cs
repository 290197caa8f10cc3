using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
using DeviceMapper.Mapping;
using DeviceMapper.Nbd.Client;
using DeviceMapper.Nbd.Server;

namespace DeviceMapper.Nbd.Tests;

/// <summary>
/// Every parser under mutated input, from small corpora of right input: a second each, or UDM_FUZZ_SECONDS. What fails is told with the
/// seed that repeats it.
/// </summary>
public sealed class FuzzTests
{
    private static readonly int Seconds = int.TryParse(Environment.GetEnvironmentVariable("UDM_FUZZ_SECONDS"), out int seconds) ? seconds : 1;

    private static readonly byte[][] Handshakes =
    [
        [0, 0, 0, 3, .. Option(3, [])],
        [0, 0, 0, 3, .. Option(8, []), .. Option(10, [0, 0, 0, 1, 100, 0, 0, 0, 1, 0, 0, 0, 15, .. "base:allocation"u8]), .. Option(7, [0, 0, 0, 1, 100, 0, 1, 0, 3])],
        [0, 0, 0, 1, .. Option(9, [0, 0, 0, 1, 100, 0, 0, 0, 0]), .. Option(6, [0, 0, 0, 1, 100, 0, 2, 0, 1, 0, 2]), .. Option(1, "d"u8.ToArray())],
        [0, 0, 0, 3, .. Option(5, []), .. Option(2, [])],
    ];

    private static readonly byte[][] Requests =
    [
        [.. Request(0, 0, 4096), .. Request(1, 512, 512), .. new byte[512], .. Request(3, 0, 0)],
        [.. Request(4, 4096, 8192), .. Request(6, 0, 65536), .. Request(7, 0, 1 << 20), .. Request(5, 0, 4096), .. Request(2, 0, 0)],
        [.. Request(1, 0, 100_000), .. new byte[100_000], .. Request(0, 0, 1 << 20)],
    ];

    private static readonly byte[][] Replies =
    [
        [.. "NBDMAGICIHAVEOPT"u8, 0, 3, .. OptionReply(8, 1, []), .. OptionReply(10, 4, [0, 0, 0, 1, .. "base:allocation"u8]), .. OptionReply(10, 1, []),
            .. OptionReply(7, 3, [0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0x2d]), .. OptionReply(7, 1, []),
            .. Chunk(1, 1, 0x1_0000_0000, [0, 0, 0, 0, 0, 0, 0, 0, .. new byte[4096]])],
        [.. "NBDMAGICIHAVEOPT"u8, 0, 3, .. OptionReply(8, 0x80000001, []), .. OptionReply(7, 0x80000001, []), 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0x2d,
            0x67, 0x44, 0x66, 0x98, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0],
        [.. "NBDMAGICIHAVEOPT"u8, 0, 3, .. OptionReply(8, 1, []), .. OptionReply(10, 1, []), .. OptionReply(7, 3, [0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0x2d]),
            .. OptionReply(7, 1, []), .. Chunk(0, 2, 0x1_0000_0000, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0]),
            .. Chunk(1, 0x8002, 0x1_0000_0000, [0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0])],
    ];

    [Fact]
    public void Handshakes_of_clients()
    {
        using ServedRegistry served = Serve();
        Fuzz(Handshakes, input => SendToServer(served, input, choose: false));
        AssertServes(served);
    }

    [Fact]
    public void Requests_of_clients()
    {
        using ServedRegistry served = Serve();
        Fuzz(Requests, input => SendToServer(served, input, choose: true));
        AssertServes(served);
    }

    [Fact]
    public void Handshakes_and_replies_of_servers()
    {
        using ServedRegistry served = new();
        string path = Path.Join(served.Folder, "bad");
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        Fuzz(Replies, input =>
        {
            using Task serve = Task.Run(() =>
            {
                using Socket client = listener.Accept();
                try
                {
                    client.Send(input);
                    client.Shutdown(SocketShutdown.Send);
                }
                catch (SocketException)
                {
                    return; // it was hung up on before all had been sent
                }

                Swallow(client);
            });
            try
            {
                MappedDevice device = served.Registry.Create("m", $"0 8 linear nbd+unix:///x?socket={path}&reconnect-delay=0&connect-timeout=1 0");
                using (TestIo io = new(device))
                {
                    io.Do(Io.BioOperation.Read, 0, 4096, Io.BioFlags.FailFast);
                }

                served.Registry.Remove(device);
            }
            catch (DmException)
            {
                // It was refused, with a sentence.
            }

            while (!serve.Wait(10))
            {
                using Socket end = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                end.Connect(new UnixDomainSocketEndPoint(path)); // where the device was refused before it connected
            }
        });
    }

    [Fact]
    public void Uris_and_endpoints()
    {
        byte[][] corpus =
        [
            "nbd://host:10809/export?connections=4&reconnect-delay=1.5"u8.ToArray(), "nbds+unix:///a%20b?socket=/run/x&tls-certificates=/y"u8.ToArray(),
            "tcp://127.0.0.1:10809?tls=/x&verify-peer"u8.ToArray(), "tcp://[::1]:1?plain"u8.ToArray(), "unix:/a/b"u8.ToArray(), "fd:3"u8.ToArray(),
        ];
        Fuzz(corpus, input =>
        {
            string text = System.Text.Encoding.Latin1.GetString(input);
            foreach (Action parse in new Action[] { () => NbdUri.Parse(text), () => NbdEndpoint.Parse(text.Replace("tcp://", "tcp://127.")) })
            {
                try
                {
                    parse();
                }
                catch (DmException e)
                {
                    Assert.NotEmpty(e.Message);
                }
            }
        });
    }

    private static void Fuzz(byte[][] corpus, Action<byte[]> run)
    {
        int seed = Environment.TickCount;
        Stopwatch time = Stopwatch.StartNew();
        for (; time.Elapsed < TimeSpan.FromSeconds(Seconds); seed++)
        {
            byte[] input = Mutate(corpus, new Random(seed));
            try
            {
                run(input);
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, input {Convert.ToHexString(input)}: {e}");
            }
        }
    }

    private static byte[] Mutate(byte[][] corpus, Random random)
    {
        List<byte> input = [.. corpus[random.Next(corpus.Length)]];
        for (int changes = random.Next(6); changes > 0 && input.Count > 0; changes--)
        {
            int at = random.Next(input.Count);
            switch (random.Next(5))
            {
                case 0:
                    input[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    input[at] = (byte)random.Next(256);
                    break;
                case 2:
                    input.RemoveRange(at, random.Next(input.Count - at));
                    break;
                case 3:
                    input.InsertRange(at, input.GetRange(at, Math.Min(64, input.Count - at)));
                    break;
                default:
                    input[at] = 0xff;
                    break;
            }
        }

        return [.. input];
    }

    private static void SendToServer(ServedRegistry served, byte[] input, bool choose)
    {
        using RawClient client = new(served.Socket, greet: choose);
        try
        {
            if (choose)
            {
                client.Go("d");
            }

            client.Send(input);
            client.Socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            return; // the server has seen enough
        }

        Swallow(client.Socket);
    }

    private static void Swallow(Socket socket)
    {
        byte[] waste = new byte[65536];
        socket.ReceiveTimeout = 20_000;
        try
        {
            while (socket.Receive(waste) > 0)
            {
            }
        }
        catch (SocketException e)
        {
            Assert.NotEqual(SocketError.TimedOut, e.SocketErrorCode);
        }
    }

    private static ServedRegistry Serve()
    {
        ServedRegistry served = new();
        served.Create("d");
        return served;
    }

    private static void AssertServes(ServedRegistry served)
    {
        using RawClient client = new(served.Socket);
        Assert.Equal(1u, client.Go("d"));
        client.Request(3, 0, 0);
        Assert.Equal(0u, client.SimpleReply());
    }

    private static byte[] Option(uint option, byte[] data) => [.. "IHAVEOPT"u8, .. BigEndian(option), .. BigEndian((uint)data.Length), .. data];

    private static byte[] OptionReply(uint option, uint type, byte[] data) =>
        [0, 3, 0xe8, 0x89, 4, 0x55, 0x65, 0xa9, .. BigEndian(option), .. BigEndian(type), .. BigEndian((uint)data.Length), .. data];

    private static byte[] Request(ushort command, uint offset, uint length) =>
        [0x25, 0x60, 0x95, 0x13, 0, 0, 0, (byte)command, .. BigEndian(1), .. BigEndian(2), 0, 0, 0, 0, .. BigEndian(offset), .. BigEndian(length)];

    private static byte[] Chunk(ushort flags, ushort type, ulong cookie, byte[] body) =>
        [0x66, 0x8e, 0x33, 0xef, 0, (byte)flags, (byte)(type >> 8), (byte)type, .. BigEndian((uint)(cookie >> 32)), .. BigEndian((uint)cookie),
            .. BigEndian((uint)body.Length), .. body];

    private static byte[] BigEndian(uint number)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return bytes;
    }
}
