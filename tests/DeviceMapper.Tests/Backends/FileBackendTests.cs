using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Backends;

/// <summary>A file.</summary>
public class FileBackendTests : BackendConformance
{
    private readonly TestFolder _folder = new();

    protected override string Word => $"file:{FilePath}?size=4M{Options}";

    /// <summary>Further options of the word.</summary>
    protected virtual string Options => "";

    /// <summary>The file.</summary>
    protected string FilePath => _folder["disk"];

    [Fact]
    public void Takes_no_room_until_written_and_gives_it_back_when_discarded()
    {
        _ = Device;
        Assert.Equal(0, RoomTaken());
        Assert.Equal(BioStatus.Ok, TestBio.Write(Device, 0, Pattern(1, 2048)));
        Assert.Equal(BioStatus.Ok, TestBio.Flush(Device));
        Assert.True(RoomTaken() >= 1 << 20);
        Assert.Equal(BioStatus.Ok, TestBio.Do(Device, BioOperation.Discard, 0, 2048));
        Assert.Equal(0, RoomTaken());
        Assert.Equal(4 << 20, new FileInfo(FilePath).Length);
    }

    [Fact]
    public void Zeroes_that_must_stay_allocated_take_room()
    {
        Assert.Equal(BioStatus.Ok, TestBio.Do(Device, BioOperation.WriteZeroes, 0, 2048, BioFlags.NoUnmap));
        Assert.True(RoomTaken() >= 1 << 20);
        Assert.Equal(BioStatus.Ok, TestBio.Do(Device, BioOperation.WriteZeroes, 0, 2048));
        Assert.Equal(0, RoomTaken());
    }

    [Fact]
    public void Tells_data_from_holes()
    {
        Assert.Equal(BioStatus.Ok, TestBio.Write(Device, 2048, Pattern(1, 256)));
        Assert.Equal((2048ul, true), Extent(0, Sectors));
        Assert.Equal((100ul, true), Extent(0, 100));
        Assert.Equal((256ul, false), Extent(2048, Sectors - 2048));
        Assert.Equal((156ul, false), Extent(2148, 1000));
        Assert.Equal((10ul, false), Extent(2148, 10));
        Assert.Equal((Sectors - 2304ul, true), Extent(2304, Sectors - 2304));
    }

    [Fact]
    public void A_file_that_is_cut_short_fails_reads_and_shows_its_new_size()
    {
        Assert.Equal(BioStatus.Ok, TestBio.Write(Device, 0, Pattern(1, 8)));
        SetLength(1 << 20);
        byte[] data = new byte[4096];
        Assert.Equal(BioStatus.IoError, TestBio.Read(Device, 4096, data));
        Assert.Equal(BioStatus.IoError, TestBio.Read(Device, 2044, data)); // across the new end
        Assert.Equal(2048ul, Device.Size.Value);
        Assert.Equal(BioStatus.IoError, TestBio.Write(Device, 4096, data));
        Assert.Equal(BioStatus.Ok, TestBio.Read(Device, 2040, data));
        Assert.Equal(1 << 20, new FileInfo(FilePath).Length);
    }

    [Fact]
    public void A_file_that_has_grown_can_be_used_to_its_new_end()
    {
        _ = Device;
        SetLength(8 << 20);
        byte[] data = Pattern(1, 8);
        Assert.Equal(BioStatus.Ok, TestBio.Write(Device, 16384 - 8, data));
        Assert.Equal(data, TestBio.Read(Device, 16384 - 8, 8));
        Assert.Equal(16384ul, Device.Size.Value);
    }

    [Fact]
    public void Bytes_behind_the_last_whole_sector_are_left_alone()
    {
        _ = Device;
        SetLength(1000);
        Assert.Equal(1ul, Device.Size.Value);
        Assert.Equal(BioStatus.IoError, TestBio.Write(Device, 1, new byte[512]));
    }

    [Fact]
    public void A_full_file_system_is_no_space()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root to mount a tmpfs");
        Directory.CreateDirectory(_folder["full"]);
        ChildProcess.Run("mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", _folder["full"]);
        try
        {
            using OpenedWord opened = new(Registry, $"file:{_folder["full"]}/disk?size=4M{Options.Replace("&direct=on", "")}");
            Assert.Equal(BioStatus.Ok, TestBio.Write(opened.Device, 0, Pattern(1, 256)));
            Assert.Equal(BioStatus.NoSpace, TestBio.Write(opened.Device, 0, Pattern(1, 4096)));
            Assert.Equal(Pattern(1, 256), TestBio.Read(opened.Device, 0, 256));
            Assert.Equal(BioStatus.Ok, TestBio.Do(opened.Device, BioOperation.Discard, 0, 4096));
            Assert.Equal(BioStatus.Ok, TestBio.Write(opened.Device, 4096, Pattern(2, 256)));
        }
        finally
        {
            ChildProcess.Run("umount", _folder["full"]);
        }
    }

    [Fact]
    public void A_limit_on_the_size_of_files_fails_what_lies_beyond_and_does_not_end_the_process()
    {
        const ulong Tebi = 1ul << 31; // sectors
        using OpenedWord opened = new(Registry, $"file:{_folder["large"]}?size=2T{Options}");
        string self = $"--pid={Environment.ProcessId}";
        string before = ChildProcess.Run("prlimit", self, "--fsize", "--noheadings", "--raw", "--output=SOFT,HARD").Replace(' ', ':');
        ChildProcess.Run("prlimit", self, $"--fsize={Tebi * 512}:{before.Split(':')[1]}");
        try
        {
            Assert.Equal(BioStatus.NoSpace, TestBio.Write(opened.Device, Tebi + 8, new byte[4096]));
            Assert.Equal(BioStatus.Ok, TestBio.Write(opened.Device, Tebi - 8, new byte[4096]));
            DmException refusal = Assert.Throws<DmException>(() => new OpenedWord(Registry, $"file:{_folder["larger"]}?size=2T"));
            Assert.Equal(DeviceMapper.Native.Errno.EFBIG, refusal.Errno);
            Assert.Equal(["large"], _folder.Names);
        }
        finally
        {
            ChildProcess.Run("prlimit", self, $"--fsize={before}");
        }
    }

    [Fact]
    public void Options_of_a_file_that_is_open_already_are_said_not_to_apply()
    {
        _ = Device;
        Assert.Null(Registry.Resolve(Word, new("test")).ApplyOptions(Backend));
        bool direct = Options.Contains("direct=on");
        string? warning = Registry.Resolve($"{Word}&direct={(direct ? "off" : "on")}", new("test")).ApplyOptions(Backend);
        Assert.Contains(direct ? "direct=on" : "direct=off", warning);
        bool threads = Options.Contains("aio=threads");
        warning = Registry.Resolve($"{Word}&aio={(threads ? "io_uring" : "threads")}", new("test")).ApplyOptions(Backend);
        Assert.Contains(Options.Contains("aio=") ? $"aio={(threads ? "threads" : "io_uring")}" : "without 'aio='", warning);
    }

    protected override void CleanUp() => _folder.Dispose();

    private (ulong Length, bool Hole) Extent(ulong start, ulong length)
    {
        (SectorCount found, bool hole) = Backend.ExtentAt(new Sector(start), new SectorCount(length));
        return (found.Value, hole);
    }

    private void SetLength(long bytes)
    {
        using FileStream file = new(FilePath, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(bytes);
    }

    private long RoomTaken() => long.Parse(ChildProcess.Run("stat", "-c", "%b", FilePath)) * 512;
}
