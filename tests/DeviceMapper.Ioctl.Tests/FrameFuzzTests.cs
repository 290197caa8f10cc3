using System.Net.Sockets;
using System.Runtime.InteropServices;
using DeviceMapper.Mapping;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeviceMapper.Ioctl.Tests;

/// <summary>
/// Frames at random on the control socket: each is answered, or its connection is closed, and others are served as before. UDM_FUZZ_ROUNDS sets how
/// many (UDM_TEST_LONG makes it 20,000), UDM_FUZZ_SEED from which seed.
/// </summary>
public sealed class FrameFuzzTests
{
    private const uint Magic = 0x316d6475;
    private const int Patience = 60_000; // ms

    private static readonly int Rounds = Setting("UDM_FUZZ_ROUNDS", Environment.GetEnvironmentVariable("UDM_TEST_LONG") == "1" ? 20_000 : 400);
    private static readonly int Seed = Setting("UDM_FUZZ_SEED", 1);

    // All that do not wait for something that never comes.
    private static readonly DmCommand[] Commands = [.. Enum.GetValues<DmCommand>().Where(command => command is not DmCommand.DevWait)];

    [Fact]
    public void Frames_at_random_are_answered_or_refused_and_others_are_served()
    {
        string folder = Directory.CreateTempSubdirectory("udm-frames-").FullName;
        try
        {
            using DeviceRegistry registry = new();
            using ControlServer server = new(registry, Path.Join(folder, "control"), NullLogger.Instance, answer: words => string.Join('+', words));
            registry.Create("there", "0 8 zero");
            for (int seed = Seed; seed < Seed + Rounds; seed++)
            {
                Attack(Path.Join(folder, "control"), new Random(seed), $"UDM_FUZZ_SEED={seed} UDM_FUZZ_ROUNDS=1");
            }

            using ControlClient client = new(Path.Join(folder, "control"));
            client.Call(DmCommand.DevCreate, new DmIoctl { Name = "after" });
            Assert.Equal("after", client.Call(DmCommand.DevStatus, new DmIoctl { Name = "after" }).Ioctl.Name);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Sends some frames, reads an answer for each that is whole, and goes away.</summary>
    private static void Attack(string path, Random random, string seed)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = Patience, SendTimeout = Patience };
        socket.Connect(new UnixDomainSocketEndPoint(path));
        try
        {
            for (int frame = random.Next(1, 4); frame > 0; frame--)
            {
                (byte[] bytes, bool isWhole) = Frame(random);
                socket.Send(bytes);
                if (!isWhole)
                {
                    return;
                }

                if (!ReadAnswer(socket, seed))
                {
                    return; // it was closed
                }
            }
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            // Closed while it was written to.
        }
    }

    private static bool ReadAnswer(Socket socket, string seed)
    {
        try
        {
            byte[] header = new byte[16];
            if (!ReadAll(socket, header))
            {
                return false;
            }

            uint[] words = MemoryMarshal.Cast<byte, uint>(header).ToArray();
            Assert.Equal((Magic, 3u), (words[0], words[1]));
            return ReadAll(socket, new byte[words[3]]);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            Assert.Fail($"{seed}: neither answered nor closed");
            return false;
        }
    }

    private static bool ReadAll(Socket socket, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int got = socket.Receive(bytes);
            if (got == 0)
            {
                return false;
            }

            bytes = bytes[got..];
        }

        return true;
    }

    /// <summary>A frame: an ioctl with some of its bytes changed, a question, or noise; perhaps cut off, so that no answer comes.</summary>
    private static (byte[] Bytes, bool IsWhole) Frame(Random random)
    {
        (uint kind, uint code, byte[] body) = random.Next(8) switch
        {
            0 => (5u, 0u, Noise(random, 40)),
            1 => ((uint)random.Next(6, 12), (uint)random.Next(), Noise(random, 400)),
            2 => (1u, (uint)random.Next(), Noise(random, 400)),
            _ => (1u, Commands[random.Next(Commands.Length)].IoctlNumber(), Ioctl(random)),
        };
        uint magic = random.Next(20) == 0 ? (uint)random.Next() : Magic;
        uint length = random.Next(20) == 0 ? (uint)random.Next() : (uint)body.Length;
        byte[] bytes = [.. MemoryMarshal.AsBytes<uint>([magic, kind, code, length]), .. body];
        return random.Next(10) == 0 ? (bytes[..random.Next(bytes.Length)], false) : (bytes, length <= body.Length || magic != Magic);
    }

    private static byte[] Ioctl(Random random)
    {
        DmIoctl ioctl = DmIoctl.WithPayload(Noise(random, 200));
        ioctl.Name = random.Next(3) == 0 ? "" : random.Next(2) == 0 ? "there" : $"d{random.Next(4)}";
        ioctl.Flags = (DmFlags)(random.Next(3) == 0 ? random.Next() : 0) & ~DmFlags.Suspend; // a suspended device would hold others up
        ioctl.TargetCount = (uint)random.Next(3);
        byte[] bytes = ioctl.Bytes.ToArray();
        for (int change = random.Next(4); change > 0; change--)
        {
            int at = random.Next(bytes.Length);
            bytes[at] = at is >= 28 and < 32 ? bytes[at] : (byte)random.Next(256); // not the flags, for the same reason
        }

        return bytes;
    }

    private static byte[] Noise(Random random, int most)
    {
        byte[] bytes = new byte[random.Next(most)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static int Setting(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), out int value) ? value : otherwise;
}
