using System.Diagnostics;
using DeviceMapper.Fuse.Native;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Targets;
using DeviceMapper.Targets.Multipath;
using Microsoft.Win32.SafeHandles;

namespace DeviceMapper.Fuse.Tests;

/// <summary>Devices as files of a real mount: which there are, their sizes, who has them open, and that none holds up another.</summary>
public sealed class MountTests
{
    private const int Timeout = 120_000;

    [Fact(Timeout = Timeout)]
    public void A_device_is_a_file_from_its_first_resume_to_its_removal()
    {
        using MountedRegistry mounted = new();
        MappedDevice device = mounted.Registry.Create("m");
        device.LoadTable("0 16384 disk m");
        Assert.False(File.Exists(mounted.File_("m")));
        device.Resume();
        Assert.Equal(16384 * 512, new FileInfo(mounted.File_("m")).Length);
        Assert.Equal(["m"], Directory.GetFiles(mounted.Folder).Select(Path.GetFileName));
        mounted.Registry.Rename(device, "with blank");
        Assert.Equal(["with blank"], Directory.GetFiles(mounted.Folder).Select(Path.GetFileName));
        mounted.Registry.Remove(device);
        Assert.Empty(Directory.GetFiles(mounted.Folder));
    }

    [Fact(Timeout = Timeout)]
    public void A_swap_changes_the_size_that_is_seen_also_by_who_has_it_open()
    {
        using MountedRegistry mounted = new();
        mounted.Create("m");
        using SafeFileHandle file = mounted.Open("m");
        mounted.Swap("m", 32768);
        Assert.Equal(32768 * 512, RandomAccess.GetLength(file));
        Assert.Equal(4096, RandomAccess.Read(file, new byte[4096], 20000 * 512));
        mounted.Swap("m", 8);
        Assert.Equal(8 * 512, RandomAccess.GetLength(file));
        Assert.Equal(0, RandomAccess.Read(file, new byte[4096], 8 * 512));
    }

    [Fact(Timeout = Timeout)]
    public void Files_that_are_open_count_and_keep_a_device()
    {
        using MountedRegistry mounted = new();
        MappedDevice device = mounted.Create("m");
        using (SafeFileHandle first = mounted.Open("m"))
        using (SafeFileHandle second = mounted.Open("m", FileAccess.Read))
        {
            Assert.Equal(2, device.OpenCount);
            Assert.Equal(Errno.EBUSY, Assert.Throws<DmException>(() => mounted.Registry.Remove(device)).Errno);
        }

        mounted.Registry.Remove(device); // the closes have returned: they count
    }

    [Fact(Timeout = Timeout)]
    public void Removal_right_after_a_close_is_never_busy()
    {
        using MountedRegistry mounted = new();
        for (int i = 0; i < 1000; i++)
        {
            MappedDevice device = mounted.Create("m", 64);
            using (SafeFileHandle file = mounted.Open("m"))
            {
                RandomAccess.Write(file, new byte[512], 0);
            }

            mounted.Registry.Remove(device);
        }
    }

    [Fact(Timeout = Timeout)]
    public void Thousands_of_ios_parked_on_one_device_hold_up_no_other()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/fio"), "needs fio");
        using MountedRegistry mounted = new();
        MappedDevice parked = mounted.Create("parked");
        mounted.Create("free");
        parked.Suspend();
        using Process fio = Process.Start(new ProcessStartInfo("fio",
        [
            "--name=parked", $"--filename={mounted.File_("parked")}", "--direct=1", "--ioengine=libaio", "--iodepth=2000", "--rw=randread",
            "--bs=4k", "--size=8M", "--allow_file_create=0",
        ])
        { RedirectStandardOutput = true })!;
        Task<string> output = fio.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.True(SpinWait.SpinUntil(() => parked.Parked >= 1900 || fio.HasExited, TimeSpan.FromSeconds(60)));
        Assert.False(fio.HasExited, "fio ended");
        using (SafeFileHandle file = mounted.Open("free"))
        {
            for (int i = 0; i < 2000; i++)
            {
                RandomAccess.Write(file, new byte[4096], i * 4096L);
            }
        }

        Assert.True(parked.Parked >= 1900);
        parked.Resume();
        Assert.True(fio.WaitForExit(TimeSpan.FromSeconds(60)));
        Assert.Equal(0, fio.ExitCode);
    }

    [Fact(Timeout = Timeout)]
    public void A_file_that_is_open_when_its_device_is_removed_fails()
    {
        using MountedRegistry mounted = new();
        MappedDevice device = mounted.Create("m");
        using SafeFileHandle file = mounted.Open("m");
        Assert.False(mounted.Registry.Remove(device, deferred: true));
        Assert.Equal(4096, RandomAccess.Read(file, new byte[4096], 0));
        file.Dispose();
        Assert.True(SpinWait.SpinUntil(() => mounted.Registry.FindByName("m") is null, TimeSpan.FromSeconds(30)));
    }
}

/// <summary>Holes, of devices over files: what backends know of them is seen through the mount.</summary>
public sealed class HoleTests
{
    private const int Timeout = 120_000;
    private const int Length = 1 << 20;

    [Fact(Timeout = Timeout)]
    public void Holes_of_the_file_below_are_holes_of_the_device_and_can_be_punched()
    {
        using MountedRegistry mounted = new([LinearTarget.Definition, ZeroTarget.Definition]);
        string below = Path.Join(Path.GetDirectoryName(mounted.Folder), "below");
        mounted.Registry.Create("m", $"0 2048 linear file:{below}?size=1M 0");
        Assert.Equal("", Map(mounted.File_("m")));
        byte[] data = new byte[65536];
        Array.Fill(data, (byte)1);
        using (SafeFileHandle file = mounted.Open("m"))
        {
            RandomAccess.Write(file, data, 262144);
            RandomAccess.Write(file, data, 524288);
        }

        Assert.Equal("262144+65536 524288+65536", Map(mounted.File_("m")));
        MountedRegistry.RunOk("fallocate", "-p", "-o", "262144", "-l", "65536", mounted.File_("m"));
        Assert.Equal("524288+65536", Map(mounted.File_("m")));
        byte[] all = File.ReadAllBytes(below);
        Assert.True(all.AsSpan(0, 524288).IndexOfAnyExcept((byte)0) < 0);
        Assert.Equal(Length, all.Length);
    }

    [Fact(Timeout = Timeout)]
    public void A_hole_is_punched_by_discards_where_not_all_targets_write_zeroes()
    {
        using MountedRegistry mounted = new([LinearTarget.Definition, ZeroTarget.Definition]);
        string below = Path.Join(Path.GetDirectoryName(mounted.Folder), "below");
        byte[] data = new byte[Length];
        Array.Fill(data, (byte)1);
        File.WriteAllBytes(below, data);
        mounted.Registry.Create("m", $"0 2048 linear file:{below} 0\n2048 2048 zero");
        MountedRegistry.RunOk("fallocate", "-p", "-o", "524288", "-l", $"{Length}", mounted.File_("m"));
        Assert.Equal(524288, File.ReadAllBytes(below).AsSpan().IndexOf((byte)0));
        Assert.True(File.ReadAllBytes(below).AsSpan(524288).IndexOfAnyExcept((byte)0) < 0);
    }

    [Theory(Timeout = Timeout)]
    [InlineData(0, 1048576, 0)]
    [InlineData(4096, 1048576 - 4096, 1)]
    [InlineData(512, 1048576 - 1024, 2)]
    [InlineData(65536 + 512, 300_032, 13)]
    public void A_hole_that_cuts_blocks_of_a_thin_volume_maps_none_again(int offset, int length, int mapped)
    {
        using MountedRegistry mounted = new([ThinPoolTarget.Definition, ThinTarget.Definition]);
        string folder = Path.GetDirectoryName(mounted.Folder)!;
        mounted.Registry.Create("pool", $"0 8192 thin-pool file:{folder}/meta?size=2M file:{folder}/data?size=4M 128 0").Message(default, "create_thin 0");
        MappedDevice volume = mounted.Registry.Create("t", $"0 2048 thin {mounted.File_("pool")} 0");
        byte[] data = new byte[Length];
        Array.Fill(data, (byte)1);
        using (SafeFileHandle file = mounted.Open("t"))
        {
            RandomAccess.Write(file, data, 0);
        }

        MountedRegistry.RunOk("fallocate", "-p", "-o", $"{offset}", "-l", $"{length}", mounted.File_("t"));
        data.AsSpan(offset, length).Clear();
        Assert.Equal(data, File.ReadAllBytes(mounted.File_("t")));
        Assert.StartsWith($"{mapped * 128} ", volume.TableTexts(false)[0].Text);
    }

    [Fact(Timeout = Timeout)]
    public void The_ioctl_that_probes_paths_fails_those_that_cannot_be_read()
    {
        using MountedRegistry mounted = new([MultipathTarget.Definition, ErrorTarget.Definition]);
        MappedDevice[] paths = [mounted.Create("a"), mounted.Create("b")];
        MappedDevice device = mounted.Registry.Create(
            "m", $"0 16384 multipath 0 0 1 1 round-robin 0 2 0 {mounted.File_("a")} {mounted.File_("b")}");
        Assert.Equal((Errno.None, "A A"), Probe());
        foreach ((MappedDevice path, string states, Errno errno) in new[] { (paths[0], "F A", Errno.None), (paths[1], "F F", Errno.ENOTCONN) })
        {
            path.LoadTable("0 16384 error");
            path.Resume();
            Assert.Equal((errno, states), Probe());
        }

        device.Suspend();
        Assert.Equal(Errno.EAGAIN, Probe().Errno);
        device.Resume();
        Assert.Equal(Errno.ENOTTY, Ioctl("a", 0xfd12));
        Assert.Equal(Errno.ENOTTY, Ioctl("m", 0xfd13));

        (Errno Errno, string States) Probe()
        {
            Errno errno = Ioctl("m", 0xfd12);
            string[] words = device.TableTexts(arguments: false)[0].Text.Split(' ');
            return (errno, string.Join(' ', words.Where(w => w is "A" or "F").TakeLast(2)));
        }

        Errno Ioctl(string name, nuint request)
        {
            Assert.Equal(Errno.None, Descriptor.TryOpen(mounted.File_(name), 0, out Descriptor file));
            using (file)
            {
                return file.Ioctl(request);
            }
        }
    }

    /// <summary>The data of a file, as START+LENGTH, by lseek(2).</summary>
    private static string Map(string path)
    {
        (int exit, string output) = MountedRegistry.Run("perl", "-e", """
            open(my $f, "<", $ARGV[0]) or die; my ($at, @found) = (0);
            while (defined(my $start = sysseek($f, $at, 3))) { $at = sysseek($f, $start, 4); push @found, ($start + 0) . "+" . ($at - $start); }
            print "@found";
            """, path);
        Assert.Equal(0, exit);
        return output.Trim();
    }
}
