using System.Collections.Concurrent;
using System.Diagnostics;
using DeviceMapper.Mapping;
using DeviceMapper.Targets;
using Microsoft.Win32.SafeHandles;

namespace DeviceMapper.Fuse.Tests;

/// <summary>A registry with a real FUSE mount in a folder of its own; unmounts whatever happens.</summary>
internal sealed class MountedRegistry : IDisposable
{
    private readonly ConcurrentDictionary<string, TestDisk> _disks = new();

    public MountedRegistry(TargetType[] types)
        : this(byFusermount: false, types)
    {
    }

    public MountedRegistry(bool byFusermount = false)
        : this(byFusermount, [])
    {
    }

    private MountedRegistry(bool byFusermount, TargetType[] types)
    {
        SkipWithoutFuse(byFusermount);
        Folder = Path.Join(Path.GetTempPath(), $"udm-fuse-{Environment.ProcessId}-{Guid.NewGuid():N}", "mapper");
        Directory.CreateDirectory(Path.GetDirectoryName(Folder)!);
        Mount = new FuseMount(Folder, logger: null, byFusermount);
        Registry = new DeviceRegistry(new DeviceRegistryOptions
        {
            MapperFolder = Folder,
            TargetTypes = [.. types, new TargetType("disk", new TargetVersion(1, 0, 0), "<name>", TargetFeatures.None, a => new TestDiskTarget(a, Disk(a[0])))],
        });
        Registry.AddExport(Mount);
    }

    public string Folder { get; }

    public FuseMount Mount { get; }

    public DeviceRegistry Registry { get; }

    public static void SkipWithoutFuse(bool byFusermount = false)
    {
        Assert.SkipUnless(File.Exists("/dev/fuse"), "needs /dev/fuse");
        Assert.SkipUnless(byFusermount || Environment.IsPrivilegedProcess || File.Exists("/usr/bin/fusermount3"), "needs root or fusermount3");
        Assert.SkipUnless(!byFusermount || File.Exists("/usr/bin/fusermount3"), "needs fusermount3");
    }

    public TestDisk Disk(string name) => _disks.GetOrAdd(name, _ => new TestDisk());

    public string File_(string name) => Path.Join(Folder, name);

    public MappedDevice Create(string name, ulong sectors = 16384, DeviceMode mode = DeviceMode.ReadWrite) =>
        Registry.Create(name, $"0 {sectors} disk {name}", mode);

    public void Swap(string name, ulong sectors, DeviceMode mode = DeviceMode.ReadWrite)
    {
        MappedDevice device = Registry.FindByName(name)!;
        device.LoadTable($"0 {sectors} disk {name}", mode);
        device.Resume();
    }

    public SafeFileHandle Open(string name, FileAccess access = FileAccess.ReadWrite) =>
        File.OpenHandle(File_(name), FileMode.Open, access, FileShare.ReadWrite);

    /// <summary>Runs a program within a time limit.</summary>
    /// <returns>Its exit status and all that it printed.</returns>
    public static (int Exit, string Output) Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["LC_ALL"] = "C";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromSeconds(60)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} {string.Join(' ', arguments)} does not end");
        }

        return (process.ExitCode, output.Result + error.Result);
    }

    public static void RunOk(string program, params string[] arguments)
    {
        (int exit, string output) = Run(program, arguments);
        Assert.True(exit == 0, $"{program} {string.Join(' ', arguments)}: {exit}\n{output}");
    }

    public void Dispose()
    {
        foreach (TestDisk disk in _disks.Values)
        {
            disk.Answers.Set();
        }

        Registry.Dispose();
        Mount.Dispose();
        foreach (TestDisk disk in _disks.Values)
        {
            disk.Dispose();
        }

        Directory.Delete(Path.GetDirectoryName(Folder)!, recursive: true);
    }
}
