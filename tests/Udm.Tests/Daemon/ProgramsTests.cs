using System.Diagnostics;

namespace Udm.Tests.Daemon;

/// <summary>Other people's programs on the devices' files.</summary>
public sealed class ProgramsTests
{
    private const int Timeout = 240_000;

    [Fact(Timeout = Timeout)]
    public void A_file_system_is_made_checked_and_grown_on_a_device()
    {
        Skip("/usr/sbin/mkfs.ext4");
        using RunningDaemon daemon = new();
        string legs = string.Join(' ', Enumerable.Range(0, 2).Select(i => $"file:{daemon.Folder}/leg{i}?size=32M 0"));
        daemon.UdmOk("create", "m", "--table", $"0 131072 striped 2 128 {legs}");
        string file = daemon.FileOf("m");
        Run("mkfs.ext4", "-q", file, "32M");
        Run("e2fsck", "-fn", file);
        daemon.UdmOk("load", "m", "--table", $"0 65536 linear file:{daemon.Folder}/leg0 0");
        daemon.UdmOk("load", "m", "--table", $"0 131072 striped 2 128 {legs}\n131072 65536 linear mem:32M 0");
        daemon.UdmOk("resume", "m");
        Run("resize2fs", file);
        Run("e2fsck", "-fn", file);
        Assert.Equal(96 << 20, new FileInfo(file).Length);
    }

    [Fact(Timeout = Timeout)]
    public void Fio_verifies_what_it_writes_while_tables_are_swapped()
    {
        Skip("/usr/bin/fio");
        using RunningDaemon daemon = new();
        string a = $"file:{daemon.Folder}/a?size=32M", b = $"file:{daemon.Folder}/b?size=32M";
        string[] tables =
        [
            $"0 131072 striped 2 32 {a} 0 {b} 0",
            $"0 32 linear {a} 0\n32 32 linear {b} 0\n64 131008 striped 2 32 {a} 32 {b} 32", // the same mapping, otherwise said
        ];
        daemon.UdmOk("create", "m", "--table", tables[0]);
        int swaps = 0;
        while (swaps < 12) // where a verb takes its time, one run of fio sees few
        {
            using Process fio = Process.Start(new ProcessStartInfo("fio",
            [
                "--name=verify", $"--filename={daemon.FileOf("m")}", "--allow_file_create=0", "--rw=randwrite", "--bsrange=512-256k", "--blockalign=512",
                "--size=64M", "--loops=8", "--direct=1", "--ioengine=libaio", "--iodepth=16", "--verify=crc32c", "--verify_state_save=0", "--verify_fatal=1", "--do_verify=1", "--randseed=7",
            ])
            { RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> output = fio.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            Task<string> error = fio.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            while (!fio.HasExited)
            {
                daemon.UdmOk("load", "m", "--table", tables[++swaps % 2]);
                if (swaps % 3 == 0)
                {
                    daemon.UdmOk("suspend", "--noflush", "m");
                }

                daemon.UdmOk("resume", "m");
            }

            Assert.Equal(0, fio.ExitCode);
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {process.ExitCode}\n{output}{error.Result}");
    }

    [Fact(Timeout = Timeout)]
    public void The_example_of_a_failover_finds_every_byte()
    {
        Skip("/usr/bin/fio");
        Skip("/usr/bin/nbdkit");
        string output = BlockMachine.Ok(
            "env", $"UDM={Path.Combine(AppContext.BaseDirectory, "udm")}", Path.Combine(RepositoryTests.Root, "examples", "failover.sh"));
        Assert.Contains("fio has found every byte that it wrote", output);
        Assert.Matches(@"one is back: I/O goes on\n.*\n.*\n.*left +failed.*\n.*right +active", output);
    }

    private static void Skip(string program)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/dev/fuse"), "needs root and /dev/fuse");
        Assert.SkipUnless(File.Exists(program), $"needs {Path.GetFileName(program)}");
    }
}
