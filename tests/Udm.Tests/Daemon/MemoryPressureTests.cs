using System.Diagnostics;
using System.Globalization;

namespace Udm.Tests.Daemon;

/// <summary>
/// The known recipe for a deadlock: a writer and the daemon that it writes to share a memory limit, so that the kernel may want the writer's
/// dirty pages written before the daemon, which writes them, gets memory. Without CAP_SYS_RESOURCE a daemon cannot be kept from waiting so,
/// and must not share the limit (docs/block-devices.md): then the writer alone has it.
/// </summary>
public sealed class MemoryPressureTests
{
    private const int Limit = 128 << 20;
    private const int Written = 256; // MiB
    private const int SysResource = 24; // CAP_SYS_RESOURCE

    private static bool MayShareLimit
    {
        get
        {
            string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("CapEff:", StringComparison.Ordinal));
            return (ulong.Parse(line["CapEff:".Length..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) >> SysResource & 1) != 0;
        }
    }

    [Fact(Timeout = 240_000)]
    public void A_writer_with_little_memory_comes_to_its_end()
    {
        // When it fails it holds up other loop devices of the machine, and their tests, until it is aborted.
        Assert.SkipUnless(Environment.GetEnvironmentVariable("UDM_TEST_LONG") == "1", "one of the long tests: ./test --all");
        using BlockMachine machine = new();
        string node = machine.NodeOf("a");
        machine.Daemon.UdmOk("create", machine.Name("a"), "--table", $"0 {Written << 11} linear file:{machine.Folder}/large?size={Written}M 0");
        string group = MakeGroup(machine.Name("group"));
        try
        {
            string processes = Path.Combine(group, "cgroup.procs");
            if (MayShareLimit)
            {
                File.WriteAllText(processes, machine.Daemon.Pid.ToString());
            }

            using Process writer = BlockMachine.Begin("sh", "-c", $"echo $$ >{processes} && exec dd if=/dev/zero of={node} bs=1M count={Written} conv=notrunc,fsync");
            if (!writer.WaitForExit(TimeSpan.FromSeconds(100)))
            {
                Abort(Path.Combine(machine.Folder, "run", "mapper")); // nothing else ends it
                Assert.Fail("the writer waits for the daemon, and the daemon for the writer");
            }

            Assert.True(writer.ExitCode == 0, writer.StandardError.ReadToEnd());
            machine.Daemon.UdmOk("remove", machine.Name("a"));
        }
        finally
        {
            machine.Kill();
            Assert.True(SpinWait.SpinUntil(() => TryRemove(group), TimeSpan.FromSeconds(60)));
        }
    }

    /// <summary>Makes a group with a limit, by version 1 of control groups or version 2.</summary>
    private static string MakeGroup(string name)
    {
        const string Root = "/sys/fs/cgroup";
        (string parent, string limit) = Directory.Exists($"{Root}/memory") ? ($"{Root}/memory", "memory.limit_in_bytes") : (Root, "memory.max");
        string group = Path.Combine(parent, name);
        try
        {
            Directory.CreateDirectory(group);
            File.WriteAllText(Path.Combine(group, limit), Limit.ToString());
            return group;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryRemove(group);
            Assert.Skip("needs a control group with a memory limit");
            throw;
        }
    }

    private static bool TryRemove(string group)
    {
        try
        {
            Directory.Delete(group); // rmdir(2): its files are not to be deleted
            return true;
        }
        catch (IOException)
        {
            return !Directory.Exists(group);
        }
    }

    /// <summary>Ends the connection of a FUSE mount by the kernel's control file system.</summary>
    private static void Abort(string folder)
    {
        const string Connections = "/sys/fs/fuse/connections";
        BlockMachine.Run("mount", "-t", "fusectl", "none", Connections);
        string number = File.ReadLines("/proc/self/mountinfo").Select(line => line.Split(' ')).Last(words => words[4] == folder)[2];
        File.WriteAllText($"{Connections}/{number[(number.IndexOf(':') + 1)..]}/abort", "1");
    }
}
