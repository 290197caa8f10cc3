using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Tests;

/// <summary>
/// A mapped device's file is the mapped device, whatever leads to it, when a table names it: it is never opened through the kernel.
/// </summary>
public sealed class OwnFilesTests : IDisposable
{
    private readonly string _folder = Path.Join(Path.GetTempPath(), $"udm-own-{Environment.ProcessId}-{Guid.NewGuid():N}");
    private readonly FuseMount _mount;
    private readonly DeviceRegistry _registry;
    private readonly MappedDevice _low;

    public OwnFilesTests()
    {
        MountedRegistry.SkipWithoutFuse();
        Directory.CreateDirectory(_folder);
        _mount = new FuseMount(Path.Join(_folder, "mapper"));
        _registry = new DeviceRegistry(new DeviceRegistryOptions { MapperFolder = Path.Join(_folder, "mapper") });
        _registry.AddExport(_mount);
        _low = _registry.Create("low", "0 8192 linear mem:4M 0");
    }

    public void Dispose()
    {
        _registry.Dispose();
        _mount.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void By_its_path_through_a_link_and_through_another_mount()
    {
        string path = Path.Join(_folder, "mapper", "low");
        AssertIsLow(path);
        File.CreateSymbolicLink(Path.Join(_folder, "link"), path);
        AssertIsLow(Path.Join(_folder, "link"));
        AssertIsLow($"/proc/self/root{path}");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "the rest needs root to bind a mount");
        string bound = Directory.CreateDirectory(Path.Join(_folder, "bound")).FullName;
        MountedRegistry.RunOk("mount", "--bind", Path.Join(_folder, "mapper"), bound);
        try
        {
            AssertIsLow(Path.Join(bound, "low"));
        }
        finally
        {
            MountedRegistry.RunOk("umount", bound);
        }
    }

    [Fact]
    public void By_a_loop_device_also_after_it_was_renamed_and_another_has_its_name()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root for loop devices");
        string loop = Attach();
        try
        {
            AssertIsLow(loop);
            _registry.Rename(_low, "new");
            _registry.Create("low", "0 8192 linear mem:4M 0");
            AssertIsLow(loop);
        }
        finally
        {
            MountedRegistry.RunOk("losetup", "-d", loop);
        }
    }

    [Fact]
    public void A_loop_device_on_a_part_of_it_is_refused()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root for loop devices");
        string loop = Attach("-o", "4096");
        try
        {
            DmException refusal = Assert.Throws<DmException>(() => _registry.Create("top", $"0 8 linear {loop} 0"));
            Assert.Equal(Errno.EINVAL, refusal.Errno);
            Assert.Contains("a part of the mapped device 'low'", refusal.Message);
        }
        finally
        {
            MountedRegistry.RunOk("losetup", "-d", loop);
        }
    }

    private string Attach(params string[] options)
    {
        (int exit, string output) = MountedRegistry.Run("losetup", ["-f", "--show", .. options, Path.Join(_folder, "mapper", "low")]);
        Assert.True(exit == 0, output);
        return output.Trim();
    }

    private void AssertIsLow(string word)
    {
        int opens = _low.OpenCount;
        MappedDevice top = _registry.Create("top", $"0 8 linear {word} 0");
        Assert.Equal(_low.Number, Assert.Single(top.Dependencies()).Number);
        _registry.Remove(top);
        Assert.Equal(opens, _low.OpenCount);
    }
}
