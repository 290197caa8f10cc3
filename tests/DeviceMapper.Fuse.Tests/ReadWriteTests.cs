using System.Security.Cryptography;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Fuse.Tests;

public sealed class ReadWriteTests
{
    private const int Timeout = 60_000;

    [Fact(Timeout = Timeout)]
    public void What_is_written_is_read()
    {
        using MountedRegistry mounted = new();
        mounted.Create("m");
        byte[] data = RandomNumberGenerator.GetBytes(3 << 20);
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = mounted.Open("m");
        RandomAccess.Write(file, data, 4096);
        Assert.True(mounted.Disk("m").Data.Slice(4096, data.Length).SequenceEqual(data));
        byte[] back = new byte[data.Length];
        Assert.Equal(back.Length, RandomAccess.Read(file, back, 4096));
        Assert.Equal(data, back);
    }

    [Fact(Timeout = Timeout)]
    public void Dd_works_buffered_direct_and_by_single_bytes()
    {
        using MountedRegistry mounted = new();
        mounted.Create("m");
        string source = mounted.Folder + ".source";
        File.WriteAllBytes(source, RandomNumberGenerator.GetBytes(8 << 20));
        MountedRegistry.RunOk("dd", $"if={source}", $"of={mounted.File_("m")}", "bs=1M", "oflag=direct", "status=none");
        Assert.Equal(File.ReadAllBytes(source), mounted.Disk("m").Data[..(8 << 20)].ToArray());
        MountedRegistry.RunOk("dd", $"if={source}", $"of={mounted.File_("m")}", "bs=100", "count=1000", "seek=3", "status=none");
        Assert.Equal(File.ReadAllBytes(source)[..100_000], mounted.Disk("m").Data.Slice(300, 100_000).ToArray());
        MountedRegistry.RunOk("dd", $"if={mounted.File_("m")}", $"of={source}.back", "bs=1", "skip=299", "count=2000", "status=none");
        Assert.Equal(mounted.Disk("m").Data.Slice(299, 2000).ToArray(), File.ReadAllBytes(source + ".back"));
        MountedRegistry.RunOk("dd", $"if={mounted.File_("m")}", $"of={source}.back", "bs=64K", "iflag=direct", "status=none");
        Assert.Equal(mounted.Disk("m").Data[..(8 << 20)].ToArray(), File.ReadAllBytes(source + ".back"));
    }

    [Fact(Timeout = Timeout)]
    public void The_end_is_that_of_a_block_device()
    {
        using MountedRegistry mounted = new();
        mounted.Create("m", sectors: 8);
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = mounted.Open("m");
        byte[] two = new byte[1024];
        Assert.Equal(0, RandomAccess.Read(file, two, 4096));
        Assert.Equal(512, RandomAccess.Read(file, two, 4096 - 512));
        Assert.Contains("No space left", Assert.Throws<IOException>(() => RandomAccess.Write(file, two, 4096)).Message);
        (int exit, string output) = MountedRegistry.Run("dd", "if=/dev/zero", $"of={mounted.File_("m")}", "bs=3000");
        Assert.Equal(1, exit);
        Assert.Contains("No space left on device", output);
        Assert.Contains("4096 bytes", output);
        Assert.Equal(4096, new FileInfo(mounted.File_("m")).Length);
    }

    [Fact(Timeout = Timeout)]
    public void Direct_I_O_of_parts_of_blocks_is_refused_as_by_a_block_device()
    {
        using MountedRegistry mounted = new();
        mounted.Disk("m").LogicalBlockSize = 4096;
        mounted.Create("m", sectors: 64);
        string file = mounted.File_("m");
        foreach (string[] dd in (string[][])[["if=/dev/zero", $"of={file}", "oflag=direct", "conv=notrunc"], [$"if={file}", "of=/dev/null", "iflag=direct"]])
        {
            MountedRegistry.RunOk("dd", [.. dd, "bs=4096", "count=2", "status=none"]);
            (int exit, string output) = MountedRegistry.Run("dd", [.. dd, "bs=512", "count=1"]);
            Assert.Equal(1, exit);
            Assert.Contains("Invalid argument", output);
        }
    }

    [Fact(Timeout = Timeout)]
    public void Writes_of_parts_of_blocks_do_not_undo_each_other()
    {
        using MountedRegistry mounted = new();
        mounted.Disk("m").LogicalBlockSize = 4096;
        mounted.Create("m", sectors: 64);
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = mounted.Open("m");
        const int writers = 8, length = 32 << 10;
        Parallel.For(0, writers, new ParallelOptions { MaxDegreeOfParallelism = writers }, writer =>
        {
            byte[] one = [(byte)(writer + 1)];
            for (int at = writer; at < length; at += writers * 7)
            {
                RandomAccess.Write(file, one, at);
            }
        });
        for (int at = 0; at < length; at++)
        {
            int writer = at % (writers * 7);
            Assert.Equal(writer < writers ? writer + 1 : 0, mounted.Disk("m").Data[at]);
        }
    }

    [Fact(Timeout = Timeout)]
    public void Errors_of_bios_are_those_of_the_calls()
    {
        using MountedRegistry mounted = new();
        mounted.Create("m");
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = mounted.Open("m");
        byte[] data = new byte[512];
        foreach ((BioStatus status, string text) in new[] { (BioStatus.IoError, "Input/output error"), (BioStatus.Medium, "No data available"), (BioStatus.NoSpace, "No space left") })
        {
            mounted.Disk("m").Fails = status;
            Assert.Contains(text, Assert.Throws<IOException>(() => RandomAccess.Read(file, data, 0)).Message);
            Assert.Contains(text, Assert.Throws<IOException>(() => RandomAccess.Write(file, data, 0)).Message);
            Assert.Contains(text, Assert.Throws<IOException>(() => RandomAccess.Write(file, data.AsSpan(1), 0)).Message);
        }

        mounted.Disk("m").Fails = BioStatus.Ok;
        RandomAccess.Write(file, data, 0);
    }

    [Fact(Timeout = Timeout)]
    public void Fsync_flushes_and_o_sync_writes_are_durable()
    {
        using MountedRegistry mounted = new();
        mounted.Create("m");
        MountedRegistry.RunOk("dd", "if=/dev/zero", $"of={mounted.File_("m")}", "bs=4K", "count=1", "conv=fsync", "status=none");
        Assert.Equal(1, mounted.Disk("m").Flushes);
        Assert.Equal(0, mounted.Disk("m").DurableWrites);
        MountedRegistry.RunOk("dd", "if=/dev/zero", $"of={mounted.File_("m")}", "bs=4K", "count=3", "oflag=dsync", "status=none");
        Assert.Equal(3, mounted.Disk("m").DurableWrites);
    }

    [Fact(Timeout = Timeout)]
    public void A_read_only_device_is_read_and_not_written()
    {
        using MountedRegistry mounted = new();
        mounted.Create("m", mode: DeviceMode.ReadOnly);
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(mounted.File_("m")));
        MountedRegistry.RunOk("dd", $"if={mounted.File_("m")}", "of=/dev/null", "bs=1M", "status=none");
        (int exit, string output) = MountedRegistry.Run("dd", "if=/dev/zero", $"of={mounted.File_("m")}", "bs=4K", "count=1");
        Assert.Equal(1, exit);
        // As the kernel's: root may open it, but not write to it; others may not open it.
        Assert.Contains(Environment.IsPrivilegedProcess ? "Operation not permitted" : "Permission denied", output);
    }
}
