using DeviceMapper.Backends;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Tests.Backends;

/// <summary>Words that name devices in tables.</summary>
public sealed class DeviceResolverTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly DeviceRegistry _registry;

    public DeviceResolverTests() => _registry = new DeviceRegistry(new DeviceRegistryOptions { MapperFolder = _folder["mapper"] });

    public void Dispose()
    {
        _registry.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("9:9999", Errno.ENXIO)]
    [InlineData("0:0", Errno.ENXIO)]
    [InlineData("4294967296:0", Errno.ENXIO)]
    [InlineData("7:", Errno.ENOENT)]
    [InlineData(":7", Errno.ENOENT)]
    [InlineData("7:x", Errno.ENOENT)]
    [InlineData("7:-1", Errno.ENOENT)]
    [InlineData("254", Errno.ENOENT)]
    [InlineData("999999:0", Errno.EOVERFLOW)]
    [InlineData("7:99999999", Errno.EOVERFLOW)]
    [InlineData("/dev/nosuch", Errno.ENOENT)]
    [InlineData("/dev", Errno.ENOTBLK)]
    [InlineData("/dev/null", Errno.ENOTBLK)]
    [InlineData("/dev/null/x", Errno.ENOTDIR)]
    [InlineData("/", Errno.ENOTBLK)]
    [InlineData("FOLDER/dangling", Errno.ENOENT)]
    [InlineData("FOLDER/circle", Errno.ELOOP)]
    [InlineData("FOLDER/pipe", Errno.ENOTBLK)]
    [InlineData("FOLDER/file/", Errno.ENOTDIR)]
    [InlineData("FOLDER/mapper/nosuch", Errno.ENOENT)]
    [InlineData("FOLDER/mapper", Errno.ENOENT)]
    [InlineData("file:", Errno.EINVAL)]
    [InlineData("file:FOLDER/nosuch", Errno.ENOENT)]
    [InlineData("file:FOLDER/nosuch?size=0", Errno.EINVAL)]
    [InlineData("file:FOLDER/nosuch?size=1000", Errno.EINVAL)]
    [InlineData("file:FOLDER/nosuch?size=8589934592G", Errno.EINVAL)]
    [InlineData("file:FOLDER/nosuch?direct=1", Errno.EINVAL)]
    [InlineData("file:FOLDER/nosuch?sise=1M", Errno.EINVAL)]
    [InlineData("file:FOLDER/nosuch/x?size=1M", Errno.ENOENT)]
    [InlineData("file:FOLDER/mapper/nosuch?size=1M", Errno.ENOENT)]
    [InlineData("mem:", Errno.EINVAL)]
    [InlineData("mem:0", Errno.EINVAL)]
    [InlineData("mem:513", Errno.EINVAL)]
    [InlineData("mem:1Q", Errno.EINVAL)]
    [InlineData("mem:-1M", Errno.EINVAL)]
    [InlineData("mem:1M#", Errno.EINVAL)]
    public void A_word_of_nothing_has_the_kernels_errno_and_a_sentence_of_its_own(string word, Errno expected)
    {
        _folder.AddFile("file", 4096);
        File.CreateSymbolicLink(_folder["dangling"], _folder["nowhere"]);
        File.CreateSymbolicLink(_folder["circle"], _folder["circle"]);
        ChildProcess.Run("mkfifo", _folder["pipe"]);
        string[] before = _folder.Names;
        DmException refusal = Assert.Throws<DmException>(() => Open(word.Replace("FOLDER", _folder.Path)).Dispose());
        Assert.Equal(expected, refusal.Errno);
        Assert.DoesNotContain(expected.Text(), refusal.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Contains('\'', refusal.Message + (word.Contains(':') ? "'" : ""));
        Assert.Equal(before, _folder.Names);
    }

    [Fact]
    public void A_name_that_is_too_long_is_refused_with_a_short_sentence()
    {
        DmException refusal = Assert.Throws<DmException>(() => Open($"/{new string('x', 300)}"));
        Assert.Equal(Errno.ENAMETOOLONG, refusal.Errno);
        Assert.True(refusal.Message.Length < 200);
    }

    [Fact]
    public void A_file_is_the_same_by_every_path_that_leads_to_it()
    {
        string path = _folder.AddFile("disk", 4096);
        File.CreateSymbolicLink(_folder["link"], "disk");
        ChildProcess.Run("ln", path, _folder["hard"]);
        DeviceIdentity identity = Find(path).Identity;
        Assert.Equal("file", identity.Kind);
        Assert.Equal(identity, Find(_folder["link"]).Identity);
        Assert.Equal(identity, Find(_folder["hard"]).Identity);
        Assert.Equal(identity, Find($"{_folder.Path}/./../{Path.GetFileName(_folder.Path)}//disk").Identity);
        Assert.Equal(identity, Find($"file:{path}?size=1G").Identity);
        Assert.NotEqual(identity, Find(_folder.AddFile("other", 4096)).Identity);
    }

    [Theory]
    [InlineData("PATH")]
    [InlineData("file:PATH")]
    [InlineData("file:PATH?direct=on")]
    [InlineData("file:PATH?size=1M&direct=off")]
    public void A_file_is_named_by_its_word(string word)
    {
        word = word.Replace("PATH", _folder.AddFile("disk", 4096));
        Assert.Equal(word, Find(word).Name);
        Assert.Null(Find(word).Number);
    }

    [Fact]
    public void A_missing_file_of_a_size_is_made_and_one_that_is_there_keeps_its_own()
    {
        using (OpenedWord opened = Open($"file:{_folder["disk"]}?size=64K"))
        {
            Assert.Equal(128ul, opened.Device.Size.Value);
        }

        using OpenedWord again = Open($"file:{_folder["disk"]}?size=1M");
        Assert.Equal(128ul, again.Device.Size.Value);
    }

    [Fact]
    public void A_refused_table_removes_the_files_that_it_made_and_no_others()
    {
        string there = _folder.AddFile("there", 4096);
        string[] refused =
        [
            $"0 8 linear file:{_folder["a"]}?size=4K 0\n8 8 linear /dev/nosuch 0",
            $"0 8 linear file:{_folder["a"]}?size=4K 0\n8 8 linear file:{_folder["b"]}?size=1M x",
            $"0 8 linear file:{_folder["a"]}?size=4K 0\n8 8 linear file:{there}?size=4K 0\n16 8 nosuch",
            $"0 99999 linear file:{_folder["a"]}?size=4K 0", // too small
        ];
        foreach (string table in refused)
        {
            Assert.Throws<DmException>(() => _registry.Create("m", table));
            Assert.Equal(["there"], _folder.Names);
        }

        _registry.Create("m", $"0 8 linear file:{_folder["a"]}?size=4K 0");
        Assert.Equal(["a", "there"], _folder.Names);
        _registry.Remove(_registry.FindByName("m")!);
        Assert.Equal(["a", "there"], _folder.Names);
    }

    [Fact]
    public void A_relative_path_is_one_of_the_current_folder()
    {
        string path = _folder.AddFile("disk", 4096);
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, path);
        Assert.Equal(Find(path).Identity, Find(relative).Identity);
        Assert.StartsWith("/", Find(relative).Name);
    }

    [Fact]
    public void A_mapped_device_is_found_by_its_names_and_its_number()
    {
        MappedDevice device = _registry.Create("low", "0 8 zero");
        Directory.CreateDirectory(_folder["mapper"]);
        File.CreateSymbolicLink(_folder["link"], _folder["mapper/low"]);
        File.CreateSymbolicLink(_folder["kernel"], "/dev/mapper");
        foreach (string word in new[]
        {
            "/dev/mapper/low", _folder["mapper/low"], _folder["link"], _folder["kernel/low"], _folder["mapper/../mapper//./low"], $"{device.Number}",
        })
        {
            DeviceSpec spec = Find(word);
            Assert.Same(device, spec.Mapped);
            Assert.Equal(new DeviceIdentity("mapped", device.Number.ToString()), spec.Identity);
            Assert.Equal(device.Number.ToString(), spec.Name);
        }

        Assert.Equal(Errno.ENOTDIR, Refusal("/dev/mapper/low/"));
        Assert.Equal(Errno.ENOTDIR, Refusal(_folder["mapper/low/x"]));
        Assert.Equal(Errno.EINVAL, Refusal($"file:{_folder["mapper/low"]}"));
    }

    [Fact]
    public void A_mapped_device_is_found_by_its_new_name_at_once()
    {
        MappedDevice device = _registry.Create("low", "0 8 zero");
        _registry.Rename(device, "new");
        Assert.Same(device, Find("/dev/mapper/new").Mapped);
        Assert.Equal(Errno.ENOENT, Refusal(_folder["mapper/low"]));
    }

    [Fact]
    public void A_mapped_device_without_a_table_has_no_name_and_a_number_that_does_not_open()
    {
        MappedDevice device = _registry.Create("none");
        Assert.Equal(Errno.ENOENT, Refusal("/dev/mapper/none"));
        Assert.Equal(Errno.ENXIO, Refusal($"{device.Number}"));
        device.LoadTable("0 8 zero");
        Assert.Equal(Errno.ENOENT, Refusal("/dev/mapper/none"));
        using OpenedWord opened = Open($"{device.Number}");
        Assert.Equal(0ul, opened.Device.Size.Value);
    }

    [Fact]
    public void A_number_of_the_registrys_own_that_nobody_has_is_refused() => Assert.Equal(Errno.ENXIO, Refusal($"{_registry.Major}:77"));

    [Fact]
    public void A_block_device_is_the_same_by_number_path_and_link()
    {
        LoopDevice.SkipUnlessPossible();
        using LoopDevice loop = new(_folder.AddFile("disk", 1 << 20));
        File.CreateSymbolicLink(_folder["link"], loop.Path);
        DeviceSpec spec = Find(loop.Path);
        Assert.Equal("block", spec.Identity.Kind);
        Assert.Equal(spec.Number.ToString(), spec.Name);
        Assert.Equal(spec.Identity, Find(_folder["link"]).Identity);
        Assert.Equal(spec.Identity, Find(spec.Name).Identity);
        Assert.Equal(spec.Identity, Find($"0{spec.Number!.Value.Major}:00{spec.Number.Value.Minor}").Identity);
        Assert.Equal(Errno.EINVAL, Refusal($"file:{loop.Path}"));
        using OpenedWord byNumber = Open(spec.Name);
        Assert.Equal(2048ul, byNumber.Device.Size.Value);
    }

    [Fact]
    public void A_file_that_takes_the_place_of_another_between_find_and_open_is_refused()
    {
        string path = _folder.AddFile("disk", 4096);
        DeviceSpec spec = Find(path);
        File.Move(_folder.AddFile("other", 4096), path, overwrite: true);
        Assert.Equal(Errno.ESTALE, Assert.Throws<DmException>(() => spec.Claim(CancellationToken.None)).Errno);
    }

    [Fact]
    public void Another_process_that_has_a_file_locked_is_named_and_one_that_comes_later_finds_it_locked()
    {
        string path = _folder.AddFile("disk", 4096);
        const string Lock =
            "open(F, '+<', $ARGV[0]) or die $!; my $l = pack('s s l! l! i', F_WRLCK, 0, 0, 0, 0); print(fcntl(F, F_SETLK, $l) ? '' : $!)";
        using (System.Diagnostics.Process holder = ChildProcess.StartPerl(Lock, path))
        {
            DmException refusal = Assert.Throws<DmException>(() => Open(path));
            Assert.Equal(Errno.EBUSY, refusal.Errno);
            Assert.Contains($"perl (process {holder.Id})", refusal.Message);
            ChildProcess.End(holder);
        }

        using (Open(path))
        {
            Assert.Equal(Errno.EAGAIN.Text(), ChildProcess.Run("perl", "-MFcntl", "-e", Lock, path));
        }

        Assert.Equal("", ChildProcess.Run("perl", "-MFcntl", "-e", Lock, path));
    }

    [Fact]
    public void Two_registries_do_not_share_a_file()
    {
        string path = _folder.AddFile("disk", 4096);
        using DeviceRegistry other = new();
        _registry.Create("m", $"0 8 linear {path} 0");
        DmException refusal = Assert.Throws<DmException>(() => other.Create("m", $"0 8 linear {path} 0", DeviceMode.ReadOnly));
        Assert.Equal(Errno.EBUSY, refusal.Errno);
        _registry.Create("also", $"0 8 linear {path} 0", DeviceMode.ReadOnly);
    }

    private DeviceSpec Find(string word) => _registry.Resolve(word, new ResolveContext("test"));

    private OpenedWord Open(string word) => new(_registry, word);

    private Errno Refusal(string word) => Assert.Throws<DmException>(() => Open(word).Dispose()).Errno;
}
