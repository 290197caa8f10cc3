using System.Diagnostics;

namespace Udm.Tests.Daemon;

/// <summary>A daemon with block devices, a disk image, and what is mounted of them: all is cleaned up, whatever happens.</summary>
internal sealed class BlockMachine : IDisposable
{
    /// <summary>A shell's function, for scripts that are ended by a failure: the command that it is given has to fail.</summary>
    public const string Refuse = "refuse() { if \"$@\" >/dev/null 2>&1; then echo \"not refused: $*\"; exit 1; fi; }\n";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    private readonly string[] _options;
    private readonly string _id = Guid.NewGuid().ToString("N")[..12];

    public BlockMachine(params string[] options)
    {
        _options = options;
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/dev/fuse"), "needs root and /dev/fuse");
        Assert.SkipUnless(File.Exists("/dev/loop-control"), "needs loop devices");
        Assert.SkipUnless(File.Exists("/usr/sbin/mkfs.ext4"), "needs mkfs.ext4");
        Folder = Directory.CreateTempSubdirectory("udm-block").FullName;
        Mount = Directory.CreateDirectory(Path.Combine(Folder, "mnt")).FullName;
        Daemon = Start();
    }

    /// <summary>Where its image and its mount are.</summary>
    public string Folder { get; }

    /// <summary>A folder to mount on.</summary>
    public string Mount { get; }

    public RunningDaemon Daemon { get; private set; }

    /// <summary>A disk of 64 MiB.</summary>
    public string Image => Path.Combine(Folder, "image");

    /// <summary>A name that no other test has: all of them share /dev/mapper.</summary>
    public string Name(string name) => $"{name}-{_id}";

    /// <summary>Makes a device on the image.</summary>
    /// <returns>Its path in /dev/mapper.</returns>
    public string Create(string name, ulong sectors = 65536, params string[] options)
    {
        Daemon.UdmOk(["create", Name(name), .. options, "--table", $"0 {sectors} linear file:{Image}?size=64M 0"]);
        return NodeOf(name);
    }

    public string NodeOf(string name) => $"/dev/mapper/{Name(name)}";

    /// <summary>The loop device of a device.</summary>
    public string LoopOf(string name) => Daemon.UdmOk("block", "show", Name(name)).TrimEnd('\n').Split('\t')[2];

    /// <summary>A number in the loop device's folder in sysfs.</summary>
    public string Sys(string name, string attribute) => File.ReadAllText($"/sys/block/{Path.GetFileName(LoopOf(name))}/{attribute}").TrimEnd('\n');

    public int OpenCountOf(string name) =>
        int.Parse(Daemon.UdmOk("info", "-c", "--noheadings", "-o", "open", Name(name)));

    public void MakeFileSystem(string name, params string[] options) => Ok("mkfs.ext4", ["-q", "-E", "nodiscard", .. options, NodeOf(name)]);

    public void MountIt(string name) => Ok("mount", NodeOf(name), Mount);

    /// <summary>Unmounts. A process that another test starts just now may still have a file of ours open, until it is its own program.</summary>
    public void Unmount() => Assert.True(SpinWait.SpinUntil(() => Run("umount", Mount).Status == 0, Patience), $"{Mount} stays busy");

    /// <summary>Starts another daemon in its folder, after <see cref="Kill"/>.</summary>
    public void StartAgain() => Daemon = Start();

    /// <summary>Ends the daemon as a crash does.</summary>
    public void Kill()
    {
        Daemon.Signal("KILL");
        Daemon.WaitForEnd();
    }

    /// <summary>Runs a program within a time limit.</summary>
    public static (int Status, string Output) Run(string program, params string[] arguments)
    {
        using Process process = Begin(program, arguments);
        return End(process);
    }

    public static string Ok(string program, params string[] arguments)
    {
        (int status, string output) = Run(program, arguments);
        Assert.True(status == 0, $"{program} {string.Join(' ', arguments)}: {status}\n{output}");
        return output;
    }

    public static Process Begin(string program, params string[] arguments) => Process.Start(new ProcessStartInfo(program, arguments)
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        Environment = { ["LC_ALL"] = "C" },
    })!;

    public static (int Status, string Output) End(Process process)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail("a program does not end");
        }

        return (process.ExitCode, output.Result + error.Result);
    }

    public void Dispose()
    {
        Run("umount", "-l", Mount);
        Daemon.Dispose();
        foreach (string line in Run("losetup", "-a").Output.Split('\n').Where(line => line.Contains(Folder)))
        {
            Run("losetup", "-d", line[..line.IndexOf(':')]);
        }

        foreach (string link in Directory.EnumerateFileSystemEntries("/dev/mapper").Where(entry => entry.EndsWith(_id, StringComparison.Ordinal)))
        {
            File.Delete(link);
        }

        Directory.Delete(Folder, recursive: true);
    }

    private RunningDaemon Start() => new(Path.Combine(Folder, "run"), ["--block", .. _options]);
}
