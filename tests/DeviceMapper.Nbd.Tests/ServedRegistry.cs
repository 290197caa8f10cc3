using System.Collections.Concurrent;
using System.Diagnostics;
using DeviceMapper.Backends;
using DeviceMapper.Mapping;
using DeviceMapper.Nbd.Client;
using DeviceMapper.Nbd.Server;
using DeviceMapper.Targets;

namespace DeviceMapper.Nbd.Tests;

/// <summary>A registry with an NBD server on a Unix socket in a folder of its own.</summary>
internal sealed class ServedRegistry : IDisposable
{
    private readonly ConcurrentDictionary<string, TestDisk> _disks = new();

    public ServedRegistry(params NbdEndpoint[] more)
        : this(TimeProvider.System, more)
    {
    }

    public ServedRegistry(TimeProvider time, params NbdEndpoint[] more)
    {
        Folder = System.IO.Path.Join(System.IO.Path.GetTempPath(), $"udm-nbd-{Environment.ProcessId}-{Guid.NewGuid():N}"[..40]);
        Directory.CreateDirectory(Folder);
        Socket = System.IO.Path.Join(Folder, "nbd");
        Registry = new DeviceRegistry(new DeviceRegistryOptions
        {
            Schemes = [new NbdScheme(null, time)],
            TargetTypes =
            [
                .. TargetTypes.All,
                new TargetType("disk", new TargetVersion(1, 0, 0), "<name>", TargetFeatures.None, a => new TestDiskTarget(a, Disk(a[0]))),
                new TargetType("watch", new TargetVersion(1, 0, 0), "<device> <offset>", TargetFeatures.None, a => new WatchTarget(a, this)),
            ],
        });
        Server = new NbdServer([NbdEndpoint.Unix(Socket), .. more]);
        Registry.AddExport(Server);
    }

    /// <summary>The way to the device of the last <c>watch</c> target.</summary>
    public IPathMonitor? Path { get; set; }

    /// <summary>Threads that have submitted bios to <c>watch</c> targets.</summary>
    public ConcurrentDictionary<int, bool> Submitters { get; } = new();

    public string Folder { get; }

    public string Socket { get; }

    public NbdServer Server { get; }

    public DeviceRegistry Registry { get; }

    public TestDisk Disk(string name) => _disks.GetOrAdd(name, _ => new TestDisk());

    public string Uri(string export) => $"nbd+unix:///{export}?socket={Socket}";

    public MappedDevice Create(string name, ulong sectors = 16384, DeviceMode mode = DeviceMode.ReadWrite) =>
        Registry.Create(name, $"0 {sectors} disk {name}", mode);

    public void Swap(string name, string table, DeviceMode mode = DeviceMode.ReadWrite)
    {
        MappedDevice device = Registry.FindByName(name)!;
        device.LoadTable(table, mode);
        device.Resume();
    }

    /// <summary>Runs a script as nbdsh does, but surely with the system's Python: <c>h</c> is a handle, not connected, and <c>uri</c> is the export's.</summary>
    public string Shell(string export, string script)
    {
        Assert.SkipUnless(File.Exists("/usr/lib/python3/dist-packages/nbd.py"), "needs python3-libnbd");
        return RunOk("/usr/bin/python3", "-c", $"import nbd\nh = nbd.NBD()\nuri = '{Uri(export)}'\n{script}");
    }

    public static void SkipWithout(string program) =>
        Assert.SkipUnless(File.Exists(System.IO.Path.Join("/usr/bin", program)) || File.Exists(program), $"needs {program}");

    /// <summary>Runs a program within a time limit.</summary>
    /// <returns>Its exit status and all that it printed.</returns>
    public static (int Exit, string Output) Run(string program, params string[] arguments)
    {
        SkipWithout(program);
        ProcessStartInfo start = new(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true };
        start.Environment["LC_ALL"] = "C";
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromSeconds(60)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} {string.Join(' ', arguments)} does not end");
        }

        return (process.ExitCode, output.Result + error.Result);
    }

    public static string RunOk(string program, params string[] arguments)
    {
        (int exit, string output) = Run(program, arguments);
        Assert.True(exit == 0, $"{program} {string.Join(' ', arguments)}: {exit}\n{output}");
        return output;
    }

    public void Dispose()
    {
        foreach (TestDisk disk in _disks.Values)
        {
            disk.Release();
        }

        Server.Dispose();
        Registry.Dispose();
        foreach (TestDisk disk in _disks.Values)
        {
            disk.Dispose();
        }

        Directory.Delete(Folder, recursive: true);
    }
}
