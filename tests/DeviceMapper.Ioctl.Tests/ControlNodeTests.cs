using System.Runtime.InteropServices;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Ioctl.Tests;

/// <summary>The checks of an ioctl, in the kernel's order, and its answer's buffer.</summary>
public sealed class ControlNodeTests : IDisposable
{
    private readonly DeviceRegistry _registry = new(new DeviceRegistryOptions());
    private readonly ControlSession _session;

    public ControlNodeTests() => _session = new ControlSession(_registry);

    public void Dispose() => _registry.Dispose();

    [Theory]
    [InlineData(4, 0, 0, true)]
    [InlineData(4, 48, 0, true)]
    [InlineData(4, 48, 99, true)] // the patch level does not matter
    [InlineData(4, 49, 0, false)]
    [InlineData(3, 0, 0, false)]
    [InlineData(5, 0, 0, false)]
    public void A_version_is_taken_if_ours_is_of_its_major_and_not_older_and_ours_is_written_back(uint major, uint minor, uint patch, bool taken)
    {
        DmIoctl ioctl = new() { Version = new(major, minor, patch) };
        Errno errno = Run(DmCommand.Version, ioctl);
        Assert.Equal(taken ? Errno.None : Errno.EINVAL, errno);
        Assert.Equal(DmVersion.Current, ioctl.Version);
        Assert.Equal((uint)DmIoctl.DefaultSize, ioctl.DataSize); // nothing else is touched
    }

    [Fact]
    public void The_type_comes_before_the_version_the_version_before_the_command_the_command_before_the_size()
    {
        DmIoctl wrong = new() { Version = new(9, 0, 0), DataSize = 1 };
        Assert.Equal(Errno.ENOTTY, Run(0xfe00, wrong));
        Assert.Equal(new DmVersion(9, 0, 0), wrong.Version);
        Assert.Equal(Errno.EINVAL, Run(0xfd63, wrong));
        wrong.Version = DmVersion.Oldest;
        Assert.Equal(Errno.ENOTTY, Run(0xfd63, wrong));
        Assert.Equal(Errno.EINVAL, Run(DmCommand.DevStatus, wrong));
        wrong.DataSize = (uint)wrong.Bytes.Length + 1;
        Assert.Equal(Errno.EFAULT, Run(DmCommand.DevStatus, wrong));
        wrong.DataSize = DmIoctl.MaxDataSize + 1u;
        Assert.Equal(Errno.EINVAL, Run(DmCommand.DevStatus, wrong));
        Assert.Equal(Errno.None, Run(DmCommand.Version, wrong)); // which looks at nothing else
    }

    [Fact]
    public void Only_the_type_and_the_number_of_an_ioctl_matter()
    {
        Assert.Equal(0xc138fd00u, DmCommand.Version.IoctlNumber());
        Assert.Equal(Errno.None, Run(0xfd00, new DmIoctl()));
        Assert.Equal(Errno.ENOTTY, Run(DmCommand.MpathProbePaths, new DmIoctl()));
    }

    [Fact]
    public void A_device_is_named_by_one_thing_and_made_with_a_name()
    {
        Assert.Equal(Errno.EINVAL, Run(DmCommand.DevCreate, new DmIoctl()));
        Assert.Equal(Errno.None, Run(DmCommand.DevCreate, new DmIoctl { Name = "a", Uuid = "u" }));
        Assert.Equal(Errno.EINVAL, Run(DmCommand.DevStatus, new DmIoctl { Name = "a", Uuid = "u" }));
        Assert.Equal(Errno.ENXIO, Run(DmCommand.DevStatus, new DmIoctl()));
        Assert.Equal(Errno.ENXIO, Run(DmCommand.DevStatus, new DmIoctl { Name = "b" }));
        DmIoctl byUuid = new() { Uuid = "u" };
        Assert.Equal(Errno.None, Run(DmCommand.DevStatus, byUuid));
        Assert.Equal("a", byUuid.Name);
        DmIoctl byNumber = new() { Device = byUuid.Device };
        Assert.Equal(Errno.None, Run(DmCommand.DevStatus, byNumber));
        Assert.Equal(("a", "u"), (byNumber.Name, byNumber.Uuid));
        Assert.Equal(Errno.ENXIO, Run(DmCommand.DevStatus, new DmIoctl { Name = "a", Device = byUuid.Device }));
    }

    [Fact]
    public void What_a_caller_set_of_the_answers_flags_is_cleared()
    {
        _registry.Create("a");
        DmIoctl ioctl = new() { Name = "a", Flags = DmFlags.BufferFull | DmFlags.UeventGenerated | DmFlags.SecureData | DmFlags.DataOut | DmFlags.Suspend };
        Assert.Equal(Errno.None, Run(DmCommand.DevStatus, ioctl));
        Assert.Equal(DmFlags.None, ioctl.Flags);
        Assert.Equal((uint)DmIoctl.FixedSize, ioctl.DataSize);
    }

    [Fact]
    public void An_answer_that_does_not_fit_says_so_and_is_asked_for_again_with_more_room()
    {
        for (int i = 0; i < 200; i++)
        {
            _registry.Create($"device-{i}");
        }

        DmIoctl small = new(DmIoctl.HeaderSize + 100);
        Assert.Equal(Errno.None, Run(DmCommand.ListDevices, small));
        Assert.True(small.Has(DmFlags.BufferFull));
        DmReply reply = new LocalControl(_registry).Call(DmCommand.ListDevices, new DmIoctl(DmIoctl.HeaderSize + 100));
        Assert.False(reply.Ioctl.Has(DmFlags.BufferFull));
        Assert.Equal(200, NameList.Read(reply.Ioctl).Count);
    }

    [Fact]
    public void An_answer_of_every_size_is_whole_or_says_that_it_is_not()
    {
        MappedDevice device = _registry.Create("a");
        device.LoadTable([.. Enumerable.Range(0, 5).Select(i => new TableLine(new Sector((ulong)i), new SectorCount(1), i % 2 == 0 ? "zero" : "error", ""))]);
        device.Resume(SuspendOptions.None);
        int whole = 0;
        for (int size = DmIoctl.HeaderSize; size < 1024; size++)
        {
            DmIoctl ioctl = new(size) { Name = "a" };
            Assert.Equal(Errno.None, Run(DmCommand.TableStatus, ioctl));
            if (ioctl.Has(DmFlags.BufferFull))
            {
                Assert.Equal(0, whole); // never full again once it fitted
                continue;
            }

            whole++;
            Assert.Equal(["zero", "error", "zero", "error", "zero"], TargetSpecs.ReadStatus(ioctl).Select(t => t.Type));
        }

        Assert.NotEqual(0, whole);
    }

    [Theory]
    [InlineData("zero", false)]
    [InlineData("nosuch", true)]
    public void A_secret_request_is_wiped_carried_out_or_refused(string type, bool refused)
    {
        MappedDevice device = _registry.Create("a");
        DmIoctl request = DmIoctl.WithPayload(TargetSpecs.WriteTable([new TableLine(default, new SectorCount(8), type, "")]));
        request.Name = "a";
        request.TargetCount = 1;
        request.Flags = DmFlags.SecureData;
        Exception? refusal = Record.Exception(() => new LocalControl(_registry).Call(DmCommand.TableLoad, request));
        Assert.Equal(refused, refusal is DmException);
        Assert.False(request.Bytes.ContainsAnyExcept((byte)0));
        Assert.Equal(!refused, device.Status(inactive: false).InactivePresent);
    }

    /// <summary>No struct, whatever its bytes, does anything but be carried out or refused. It takes <c>UDM_FUZZ_SECONDS</c>: a minute of the long tests.</summary>
    [Fact]
    public void Damaged_structs_are_refused_or_carried_out()
    {
        int seed = Random.Shared.Next();
        Random random = new(seed);
        byte[] table = TargetSpecs.WriteTable([new TableLine(default, new SectorCount(8), "zero", ""), new TableLine(new Sector(8), new SectorCount(8), "error", "")]);
        byte[] message = TargetMessage.Write(default, "@stats_list");
        byte[][] payloads = [table, message, "new name\0"u8.ToArray(), "1 2 3 4\0"u8.ToArray(), "zero\0"u8.ToArray(), []];
        string seconds = Environment.GetEnvironmentVariable("UDM_FUZZ_SECONDS") ?? (Environment.GetEnvironmentVariable("UDM_TEST_LONG") == "1" ? "60" : "1");
        long end = Environment.TickCount64 + (1000 * int.Parse(seconds, System.Globalization.CultureInfo.InvariantCulture));
        for (int round = 0; round < 3000 || Environment.TickCount64 < end; round++)
        {
            DmCommand command = (DmCommand)random.Next(0, 19);
            if (command == DmCommand.DevWait)
            {
                continue; // which waits
            }

            DmIoctl ioctl = DmIoctl.WithPayload(payloads[random.Next(payloads.Length)], random.Next(DmIoctl.HeaderSize, 700));
            ioctl.Name = random.Next(3) == 0 ? "" : $"d{random.Next(4)}";
            ioctl.Flags = (DmFlags)(random.Next(4) == 0 ? random.Next() : 0);
            ioctl.TargetCount = (uint)random.Next(4);
            for (int i = random.Next(6); i > 0; i--)
            {
                int at = random.Next(12, ioctl.Bytes.Length & ~3) & ~3;
                uint value = random.Next(4) switch { 0 => (uint)random.Next(), 1 => uint.MaxValue, 2 => (uint)ioctl.Bytes.Length, _ => (uint)random.Next(512) };
                MemoryMarshal.Write(ioctl.Bytes[at..], in value);
            }

            try
            {
                ControlNode.Execute(_registry, _session, command.IoctlNumber(), ioctl, ioctl.Bytes.Length, TestContext.Current.CancellationToken);
            }
            catch (DmException e)
            {
                Assert.NotEmpty(e.Message);
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, round {round}, {command}: {e}");
            }
        }
    }

    private Errno Run(DmCommand command, DmIoctl ioctl) => Run(command.IoctlNumber(), ioctl);

    private Errno Run(uint number, DmIoctl ioctl)
    {
        try
        {
            ControlNode.Execute(_registry, _session, number, ioctl, ioctl.Bytes.Length, CancellationToken.None);
            return Errno.None;
        }
        catch (DmException e)
        {
            return e.Errno;
        }
    }
}
