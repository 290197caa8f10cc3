using System.Diagnostics;
using System.Net.Sockets;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace DeviceMapper.Ioctl.Tests;

/// <summary>The ioctls over the control socket: who may call, what waits, and what ends a wait.</summary>
public sealed class ControlServerTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("udm-control-").FullName;
    private readonly FakeTimeProvider _time = new();
    private readonly List<HeldTarget> _held = [];
    private readonly DeviceRegistry _registry;
    private readonly ControlServer _server;

    public ControlServerTests()
    {
        _registry = new DeviceRegistry(new DeviceRegistryOptions { TargetTypes = [.. Targets.TargetTypes.All, HeldTarget.TypeFor(_held)] });
        _server = new ControlServer(_registry, Socket, NullLogger.Instance, _time, words => string.Join('+', words));
    }

    private string Socket => Path.Join(_folder, "control");

    public void Dispose()
    {
        _held.ForEach(h => h.LetGo()); // a test that fails leaves some
        _server.Dispose();
        _registry.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_client_waits_for_a_daemon_that_is_just_starting()
    {
        string socket = Path.Join(_folder, "later");
        using ControlClient impatient = new(socket);
        Assert.Equal(Errno.ENXIO, Assert.Throws<DmException>(() => impatient.Call(DmCommand.Version, new DmIoctl())).Errno);

        using ControlClient client = new(socket) { Patience = Limit };
        DmReply? reply = null;
        Exception? refusal = null;
        Thread asking = new(() => refusal = Record.Exception(() => { reply = client.Call(DmCommand.Version, new DmIoctl()); }));
        asking.Start();
        Assert.True(SpinWait.SpinUntil(() => !asking.IsAlive || asking.ThreadState.HasFlag(System.Threading.ThreadState.WaitSleepJoin), Limit)); // it has looked once
        using ControlServer server = new(_registry, socket, NullLogger.Instance, _time, words => "");
        Assert.True(asking.Join(Limit));
        Assert.Null(refusal);
        Assert.Equal(4u, reply!.Ioctl.Version.Major);
    }

    [Fact]
    public void Only_its_owner_can_connect()
    {
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Socket));
    }

    [Fact]
    public void Another_user_is_turned_away_whatever_the_mode_of_the_socket()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/setpriv") && File.Exists("/usr/bin/python3"), "needs root, setpriv and python3");
        const UnixFileMode All = (UnixFileMode)511; // 0777
        File.SetUnixFileMode(_folder, All);
        File.SetUnixFileMode(Socket, All);
        string connect = $"import socket; s = socket.socket(socket.AF_UNIX); s.settimeout(60); s.connect('{Socket}'); print(len(s.recv(1)))"; // 0: it was closed
        using Process other = Process.Start(new ProcessStartInfo("/usr/bin/setpriv", ["--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", connect])
        {
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("0", other.StandardOutput.ReadToEnd().Trim());
        Assert.True(other.WaitForExit(Limit));
    }

    [Fact]
    public void Two_hundred_callers_at_once_are_all_served()
    {
        using Barrier together = new(200);
        Thread[] callers = [.. Enumerable.Range(0, 200).Select(i => new Thread(
            () =>
            {
                using ControlClient client = new(Socket);
                client.Call(DmCommand.DevCreate, new DmIoctl { Name = $"d{i}" });
                together.SignalAndWait(Limit); // all are connected now
                Assert.Equal($"d{i}", client.Call(DmCommand.DevStatus, new DmIoctl { Name = $"d{i}" }).Ioctl.Name);
            },
            maxStackSize: 256 * 1024))];
        Array.ForEach(callers, c => c.Start());
        Assert.All(callers, c => Assert.True(c.Join(Limit)));
        using ControlClient last = new(Socket);
        Assert.Equal(200, NameList.Read(last.Call(DmCommand.ListDevices, new DmIoctl()).Ioctl).Count);
    }

    [Fact]
    public async Task A_caller_that_goes_away_ends_its_suspend_which_is_undone()
    {
        MappedDevice device = _registry.Create("a", "0 8 held");
        HeldTarget.Read(device);
        using CancellationTokenSource gone = new();
        Task<DmException> suspend = Refused(() =>
        {
            using ControlClient client = new(Socket);
            client.Call(DmCommand.DevSuspend, new DmIoctl { Name = "a", Flags = DmFlags.Suspend }, gone.Token);
        });
        WaitUntil(() => device.WaitReason is not null);
        await gone.CancelAsync();
        Assert.Equal(Errno.EINTR, (await suspend.WaitAsync(Limit)).Errno);
        WaitUntil(() => device.WaitReason is null);
        Assert.False(device.Status(inactive: false).Suspended);
        _held[0].LetGo();
        WaitUntil(() => device.InFlight == 0);
    }

    [Fact]
    public async Task A_wait_for_an_event_ends_with_its_caller_and_with_the_server()
    {
        MappedDevice device = _registry.Create("a", "0 8 zero");
        using CancellationTokenSource gone = new();
        DmIoctl Wait() => new() { Name = "a", EventNumber = device.Status(inactive: false).EventNumber };
        using ControlClient first = new(Socket), second = new(Socket);
        second.Call(DmCommand.Version, new DmIoctl()); // connects: without, the server may be gone before it does
        Task<DmException> given = Refused(() => first.Call(DmCommand.DevWait, Wait(), gone.Token));
        Task<DmException> cut = Refused(() => second.Call(DmCommand.DevWait, Wait()));
        await gone.CancelAsync();
        Assert.Equal(Errno.EINTR, (await given.WaitAsync(Limit)).Errno);
        Assert.False(cut.IsCompleted);
        _server.Dispose();
        Assert.Contains((await cut.WaitAsync(Limit)).Errno, new[] { Errno.EINTR, Errno.ECONNRESET });
    }

    [Fact]
    public async Task A_caller_that_waits_for_three_seconds_is_told_for_what()
    {
        MappedDevice device = _registry.Create("a", "0 8 held");
        HeldTarget.Read(device);
        List<string> told = [];
        using ControlClient client = new(Socket) { Waiting = told.Add };
        Task suspend = Task.Run(() => client.Call(DmCommand.DevSuspend, new DmIoctl { Name = "a", Flags = DmFlags.Suspend }));
        WaitUntil(() => device.WaitReason is not null);
        _time.Advance(TimeSpan.FromSeconds(2.9));
        _time.Advance(TimeSpan.FromSeconds(0.2));
        _held[0].LetGo();
        await suspend.WaitAsync(Limit);
        Assert.Equal(["waits for 1 I/Os of a"], told);
        Assert.True(device.Status(inactive: false).Suspended);
    }

    [Fact]
    public async Task A_poll_sees_what_happened_since_it_was_armed()
    {
        _registry.Create("a", "0 8 held");
        using ControlClient client = new(Socket);
        client.Call(DmCommand.DevArmPoll, new DmIoctl());
        Task poll = Task.Run(() => client.Poll());
        Assert.False(poll.IsCompleted);
        _held[0].Table.RaiseEvent();
        await poll.WaitAsync(Limit);
    }

    /// <summary>As when a program closes the control node, or arms it anew.</summary>
    [Fact]
    public async Task A_poll_that_is_given_up_harms_nobody()
    {
        _registry.Create("a", "0 8 held");
        using ControlClient client = new(Socket);
        client.Call(DmCommand.DevArmPoll, new DmIoctl());
        using CancellationTokenSource closed = new();
        Task poll = Task.Run(() => client.Poll(closed.Token));
        using ControlClient other = new(Socket);
        await Task.Run(() => SpinWait.SpinUntil(() => poll.Status == TaskStatus.Running)).WaitAsync(Limit);
        await closed.CancelAsync();
        Assert.Equal(Errno.EINTR, (await Assert.ThrowsAsync<DmException>(() => poll.WaitAsync(Limit))).Errno);
        Assert.Equal("a", other.Call(DmCommand.DevStatus, new DmIoctl { Name = "a" }).Ioctl.Name);
    }

    [Fact]
    public void Refusals_and_warnings_come_with_their_sentences()
    {
        using ControlClient client = new(Socket);
        DmException refusal = Assert.Throws<DmException>(() => client.Call(DmCommand.DevStatus, new DmIoctl { Name = "nosuch" }));
        Assert.Equal(Errno.ENXIO, refusal.Errno);
        Assert.NotEmpty(refusal.Message);
        Assert.Equal("one+two", client.Ask("one", "two"));
        Assert.Equal(DmVersion.Current, client.Call(DmCommand.Version, new DmIoctl()).Ioctl.Version);
    }

    [Theory]
    [InlineData("zero")]
    [InlineData("nosuch")]
    public void A_secret_request_is_wiped(string type)
    {
        _registry.Create("a");
        DmIoctl request = DmIoctl.WithPayload(TargetSpecs.WriteTable([new TableLine(default, new SectorCount(8), type, "")]));
        (request.Name, request.TargetCount, request.Flags) = ("a", 1, DmFlags.SecureData);
        using ControlClient client = new(Socket);
        _ = Record.Exception(() => client.Call(DmCommand.TableLoad, request));
        Assert.False(request.Bytes.ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void A_key_is_there_for_the_next_call_of_its_connection_only()
    {
        _registry.Create("a");
        using ControlClient client = new(Socket), other = new(Socket);
        client.GiveKey("logon", "udm-test:next", new byte[32]);
        Assert.Equal(Errno.ENOKEY, Assert.Throws<DmException>(() => Load(other)).Errno);
        Load(client);
        Assert.Equal(Errno.ENOKEY, Assert.Throws<DmException>(() => Load(client)).Errno);

        static void Load(ControlClient client)
        {
            TableLine line = new(default, new SectorCount(8), "crypt", "aes-xts-plain64 :32:logon:udm-test:next 0 mem:1M 0");
            DmIoctl request = DmIoctl.WithPayload(TargetSpecs.WriteTable([line]));
            (request.Name, request.TargetCount) = ("a", 1);
            client.Call(DmCommand.TableLoad, request);
        }
    }

    [Fact]
    public void An_answer_that_did_not_fit_is_asked_for_again()
    {
        for (int i = 0; i < 2000; i++)
        {
            _registry.Create($"device-{i}");
        }

        using ControlClient client = new(Socket);
        Assert.Equal(2000, NameList.Read(client.Call(DmCommand.ListDevices, new DmIoctl(DmIoctl.HeaderSize)).Ioctl).Count);
    }

    [Fact]
    public void What_is_no_frame_ends_its_connection_and_no_other()
    {
        using ControlClient good = new(Socket);
        good.Call(DmCommand.Version, new DmIoctl());
        int seed = Random.Shared.Next();
        Random random = new(seed);
        byte[] header = [0x75, 0x64, 0x6d, 0x31, 1, 0, 0, 0, 9, 0xfd, 0, 0, 0xff, 0xff, 0xff, 0x7f]; // a call with a body of 2 GiB
        for (int i = 0; i < 100; i++)
        {
            using Socket bad = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            bad.Connect(new UnixDomainSocketEndPoint(Socket));
            byte[] bytes = [.. header];
            if (i > 0)
            {
                bytes[random.Next(4)]++; // no magic
                random.NextBytes(bytes.AsSpan(4));
            }

            bad.Send(bytes);
            bad.ReceiveTimeout = (int)Limit.TotalMilliseconds;
            Assert.True(Closed(bad), $"seed {seed}, round {i}: the connection was not closed");
        }

        good.Call(DmCommand.Version, new DmIoctl());
    }

    [Fact]
    public void Half_a_frame_changes_nothing()
    {
        for (int length = 1; length < 400; length += 7)
        {
            using Socket bad = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            bad.Connect(new UnixDomainSocketEndPoint(Socket));
            byte[] frame = new byte[16 + DmIoctl.HeaderSize];
            new byte[] { 0x75, 0x64, 0x6d, 0x31, 1, 0, 0, 0, (byte)DmCommand.DevCreate, 0xfd, 0, 0, DmIoctl.HeaderSize & 0xff, DmIoctl.HeaderSize >> 8 }.CopyTo(frame, 0);
            new DmIoctl(DmIoctl.HeaderSize) { Name = "half" }.Bytes.CopyTo(frame.AsSpan(16));
            bad.Send(frame.AsSpan(0, Math.Min(length, frame.Length - 1)));
            bad.Shutdown(SocketShutdown.Send);
            Assert.True(Closed(bad));
        }

        Assert.Null(_registry.FindByName("half"));
    }

    [Fact]
    public void Two_thousand_devices_are_made_asked_about_at_once_and_removed()
    {
        using ControlClient client = new(Socket);
        string[] names = [.. Enumerable.Range(0, 2000).Select(i => $"device-{i:d4}")];
        foreach (string name in names)
        {
            client.Call(DmCommand.DevCreate, new DmIoctl { Name = name });
            client.Call(DmCommand.TableLoad, Table(name, "0 8 zero"));
            client.Call(DmCommand.DevSuspend, new DmIoctl { Name = name });
        }

        Assert.Equal(names, NameList.Read(client.Call(DmCommand.ListDevices, new DmIoctl()).Ioctl).Select(device => device.Name));
        Assert.Equal(names, Ask(DmCommand.DevStatus, DmIoctl.HeaderSize).Select(outcome => outcome.Reply!.Ioctl.Name));
        IReadOnlyList<DmOutcome> tables = Ask(DmCommand.TableStatus, DmIoctl.HeaderSize + 64);
        Assert.All(tables, outcome => Assert.Equal("zero", Assert.Single(TargetSpecs.ReadStatus(outcome.Reply!.Ioctl)).Type));
        Assert.All(Ask(DmCommand.DevRemove, DmIoctl.HeaderSize), outcome => Assert.Null(outcome.Refusal));
        Assert.All(Ask(DmCommand.DevStatus, DmIoctl.HeaderSize), outcome => Assert.Equal(Errno.ENXIO, outcome.Refusal!.Errno));
        Assert.Empty(_registry.Devices);

        IReadOnlyList<DmOutcome> Ask(DmCommand command, int size) => client.CallEach(command, [.. names.Select(name => new DmIoctl(size) { Name = name })]);
    }

    [Fact]
    public void Of_many_calls_one_is_refused_and_an_answer_that_does_not_fit_is_asked_for_again()
    {
        using ControlClient client = new(Socket);
        client.Call(DmCommand.DevCreate, new DmIoctl { Name = "large" });
        client.Call(DmCommand.TableLoad, Table("large", string.Concat(Enumerable.Range(0, 100).Select(i => $"{i * 8} 8 zero\n"))));
        client.Call(DmCommand.DevSuspend, new DmIoctl { Name = "large" });
        string[] names = ["large", "missing", "large"];
        IReadOnlyList<DmOutcome> outcomes = client.CallEach(DmCommand.TableStatus, [.. names.Select(name => new DmIoctl(DmIoctl.HeaderSize) { Name = name })]);
        Assert.Equal([100, -1, 100], outcomes.Select(outcome => outcome.Reply is { } reply ? TargetSpecs.ReadStatus(reply.Ioctl).Count : -1));
        Assert.Equal(Errno.ENXIO, outcomes[1].Refusal!.Errno);
    }

    [Theory]
    [InlineData(1)] // less than a struct
    [InlineData(DmIoctl.HeaderSize)] // whose data_size reaches beyond the frame
    [InlineData(DmIoctl.HeaderSize + 1)]
    public void A_malformed_batch_ends_its_connection(int length)
    {
        using Socket bad = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        bad.Connect(new UnixDomainSocketEndPoint(Socket));
        byte[] frame = new byte[16 + length];
        new byte[] { 0x75, 0x64, 0x6d, 0x31, 6, 0, 0, 0, (byte)DmCommand.DevStatus, 0xfd, 0, 0, (byte)length, (byte)(length >> 8) }.CopyTo(frame, 0);
        frame.AsSpan(16).Fill(0x7f);
        bad.Send(frame);
        Assert.True(Closed(bad));
    }

    private static DmIoctl Table(string name, string table)
    {
        IReadOnlyList<TableLine> lines = TableParser.Parse(table);
        DmIoctl load = DmIoctl.WithPayload(TargetSpecs.WriteTable(lines));
        load.Name = name;
        load.TargetCount = (uint)lines.Count;
        return load;
    }

    private static bool Closed(Socket socket)
    {
        try
        {
            return socket.Receive(new byte[1]) == 0;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.ConnectionReset;
        }
    }

    private static Task<DmException> Refused(Action call) => Task.Factory.StartNew(() => Assert.Throws<DmException>(call), TaskCreationOptions.LongRunning);

    private static void WaitUntil(Func<bool> holds) => Assert.True(SpinWait.SpinUntil(holds, Limit));
}
