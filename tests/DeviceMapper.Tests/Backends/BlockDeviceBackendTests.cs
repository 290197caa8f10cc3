using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Backends;

/// <summary>A block device.</summary>
public class BlockDeviceBackendTests : BackendConformance
{
    private readonly TestFolder _folder = new();
    private LoopDevice? _loop;

    protected override string Word => Loop.Path;

    protected virtual string[] LoopOptions => [];

    private LoopDevice Loop
    {
        get
        {
            if (_loop is null)
            {
                LoopDevice.SkipUnlessPossible();
                _loop = new LoopDevice(_folder.AddFile("disk", (long)Sectors * Sector.Size), LoopOptions);
            }

            return _loop;
        }
    }

    [Fact]
    public void Has_the_limits_that_the_kernel_tells()
    {
        QueueLimits limits = Device.Limits;
        Assert.Equal(ChildProcess.Run("blockdev", "--getss", Loop.Path), $"{limits.LogicalBlockSize}");
        Assert.Equal(ChildProcess.Run("blockdev", "--getpbsz", Loop.Path), $"{limits.PhysicalBlockSize}");
        Assert.Equal(ChildProcess.Run("blockdev", "--getiomin", Loop.Path), $"{limits.IoMin}");
        Assert.Equal(ChildProcess.Run("blockdev", "--getioopt", Loop.Path), $"{limits.IoOpt}");
        Assert.Equal(Queue("discard_max_bytes") / 512, limits.MaxDiscard.Value);
        Assert.Equal(Queue("discard_granularity"), limits.DiscardGranularity);
        Assert.Equal(Queue("write_zeroes_max_bytes") / 512, limits.MaxWriteZeroes.Value);
        Assert.True(limits.WriteCache);
    }

    [Fact]
    public void What_goes_past_the_page_cache_is_seen_by_who_reads_through_it_and_the_other_way_round()
    {
        byte[] data = Pattern(1, 8);
        using FileStream other = new(Loop.Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        byte[] read = new byte[4096];
        other.ReadExactly(read); // into the page cache
        Assert.Equal(BioStatus.Ok, TestBio.Write(Device, 0, data));
        other.Position = 0;
        other.ReadExactly(read);
        Assert.Equal(data, read);
        other.Position = 0;
        other.Write(Pattern(2, 8));
        Assert.Equal(Pattern(2, 8), TestBio.Read(Device, 0, 8));
    }

    [Fact]
    public void A_disk_that_grows_can_be_used_to_its_new_end()
    {
        _ = Device;
        Resize(8 << 20);
        byte[] data = Pattern(1, 8);
        Assert.Equal(BioStatus.Ok, TestBio.Write(Device, 16384 - 8, data));
        Assert.Equal(data, TestBio.Read(Device, 16384 - 8, 8));
        Assert.Equal(16384ul, Device.Size.Value);
    }

    [Fact]
    public void A_disk_that_shrinks_fails_what_lies_beyond()
    {
        _ = Device;
        Resize(1 << 20);
        Assert.NotEqual(BioStatus.Ok, TestBio.Read(Device, 4096, new byte[4096]));
        Assert.NotEqual(BioStatus.Ok, TestBio.Write(Device, 4096, new byte[4096]));
        Assert.NotEqual(BioStatus.Ok, TestBio.Read(Device, 2040, new byte[8192]));
        Assert.Equal(2048ul, Device.Size.Value);
        Assert.Equal(BioStatus.Ok, TestBio.Write(Device, 2040, Pattern(1, 8)));
    }

    [Fact]
    public void A_disk_with_a_bad_part_fails_there_and_works_elsewhere()
    {
        _ = Device;
        using (FileStream file = new(_folder["disk"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.SetLength(1 << 20); // behind the loop device's back
        }

        Assert.Equal(BioStatus.IoError, TestBio.Read(Device, 4096, new byte[4096]));
        Assert.Equal(BioStatus.IoError, TestBio.Read(Device, 2040, new byte[8192]));
        Assert.Equal(BioStatus.Ok, TestBio.Read(Device, 0, new byte[4096]));
    }

    [Fact]
    public void A_read_only_disk_opens_in_a_writeable_table_and_fails_its_writes()
    {
        using LoopDevice readOnly = ReadOnlyLoop();
        using OpenedWord opened = new(Registry, readOnly.Path);
        Assert.Equal(BioStatus.Ok, TestBio.Read(opened.Device, 0, new byte[4096]));
        Assert.Equal(BioStatus.IoError, TestBio.Write(opened.Device, 0, new byte[4096]));
    }

    [Fact]
    public void A_foreign_exclusive_holder_is_busy_and_named()
    {
        string path = Loop.Path;
        using (System.Diagnostics.Process holder = ChildProcess.StartPerl("sysopen(F, $ARGV[0], O_RDWR|O_EXCL) or die $!", path))
        {
            DmException refusal = Assert.Throws<DmException>(() => new OpenedWord(Registry, path, DeviceMode.ReadOnly));
            Assert.Equal(Errno.EBUSY, refusal.Errno);
            Assert.Contains($"perl (process {holder.Id})", refusal.Message);
            ChildProcess.End(holder);
        }

        using OpenedWord opened = new(Registry, path);
    }

    [Fact]
    public void Keeps_others_from_claiming_it_but_not_from_opening_it()
    {
        string path = Loop.Path;
        using (new OpenedWord(Registry, path, DeviceMode.ReadOnly))
        {
            Assert.Equal(Errno.EBUSY, TryExclusive(path));
            using FileStream other = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        }

        Assert.Equal(Errno.None, TryExclusive(path));
    }

    protected override void CleanUp()
    {
        _loop?.Dispose();
        _folder.Dispose();
    }

    private LoopDevice ReadOnlyLoop()
    {
        LoopDevice.SkipUnlessPossible();
        return new LoopDevice(_folder.AddFile("read-only", 1 << 20), "-r");
    }

    private static Errno TryExclusive(string path)
    {
        Errno error = OpenFile.TryOpen(path, LibC.O_RDONLY | LibC.O_EXCL, out OpenFile? file);
        file?.Dispose();
        return error;
    }

    private void Resize(long bytes)
    {
        using (FileStream file = new(_folder["disk"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.SetLength(bytes);
        }

        ChildProcess.Run("losetup", "-c", Loop.Path);
    }

    private ulong Queue(string name) => ulong.Parse(File.ReadAllText($"/sys/block/{Path.GetFileName(Loop.Path)}/queue/{name}"));
}

/// <summary>A block device of 4096-byte blocks.</summary>
public sealed class LargeBlockDeviceBackendTests : BlockDeviceBackendTests
{
    protected override string[] LoopOptions => ["-b", "4096"];
}
