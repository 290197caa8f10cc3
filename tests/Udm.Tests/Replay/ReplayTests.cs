using System.Text.Json;
using DeviceMapper.Targets.LogWrites;
using Udm.Replay;
using Udm.Tests.Verbs;

namespace Udm.Tests.Replay;

public sealed class ReplayTests : IDisposable
{
    private const int Block = 512;

    private readonly string _folder = Directory.CreateTempSubdirectory("udm-replay-tests.").FullName;
    private readonly List<(LogEntry Entry, byte[] Tail)> _entries = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Entries_marks_and_data_are_read()
    {
        Write(3, 7);
        Flush();
        Mark("half way");
        Write(4, 9);
        using WriteLog log = OpenLog();
        Assert.Equal([LogFlags.None, LogFlags.Flush, LogFlags.Mark, LogFlags.None], log.Entries.Select(e => e.Entry.Flags));
        Assert.Equal("half way", log.Entries[2].Mark);
        Assert.Equal("", log.MarkBefore(2));
        Assert.Equal("half way", log.MarkBefore(4));
    }

    [Fact]
    public void A_device_is_as_it_was_after_so_many_entries()
    {
        Write(0, 1);
        Write(1, 2);
        Discard(0);
        Write(1, 3);
        using WriteLog log = OpenLog();
        using (LogReplayer replayer = new(log, Device))
        {
            replayer.AdvanceTo(2);
            Assert.Equal("12", Blocks(2));
            replayer.AdvanceTo(4);
        }

        Assert.Equal("03", Blocks(2));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void The_first_moment_at_which_the_check_fails_is_found(int jobs)
    {
        WriteRecords(20, commitFirstAt: 13);
        using WriteLog log = OpenLog();
        using CheckViews views = new();
        Campaign campaign = new(log, Device, log.Entries.Count, RecordsAreWhole, views);
        Failure? failure = campaign.Run(jobs);
        Assert.NotNull(failure);
        Assert.Contains("ended with status 1", failure.Text);
        Assert.Equal(13, FirstByte(0)); // the device is left as it was: the count says 13, the record is not there
        Assert.Equal(0, FirstByte(13));
    }

    [Fact]
    public void Halving_finds_it_with_fewer_checks()
    {
        WriteRecords(20, commitFirstAt: 20);
        using WriteLog log = OpenLog();
        using CheckViews views = new();
        Campaign campaign = new(log, Device, log.Entries.Count, RecordsAreWhole, views);
        Assert.NotNull(campaign.Bisect());
        Assert.True(campaign.Checked <= 7, $"{campaign.Checked} checks");
    }

    [Fact]
    public void What_keeps_its_order_passes_every_check()
    {
        WriteRecords(6, commitFirstAt: 0);
        using WriteLog log = OpenLog();
        using CheckViews views = new();
        Campaign campaign = new(log, Device, log.Entries.Count, RecordsAreWhole, views) { Subsets = 2 };
        Assert.Null(campaign.Run(1));
        Assert.True(campaign.Checked >= 12);
        Assert.Equal(6, FirstByte(0));
    }

    [Fact]
    public void A_missing_flush_is_found_by_a_subset()
    {
        for (byte record = 1; record <= 8; record++)
        {
            Write(record, record);
            Write(0, record); // nothing keeps it behind the record
            Flush();
        }

        using WriteLog log = OpenLog();
        using CheckViews views = new();
        Assert.Null(new Campaign(log, Device, log.Entries.Count, RecordsAreWhole, views).Run(1));
        File.WriteAllBytes(Device, new byte[32 * Block]);
        Failure? failure = new Campaign(log, Device, log.Entries.Count, RecordsAreWhole, views) { Subsets = 8 }.Run(1);
        Assert.NotNull(failure?.Subset);
    }

    [Fact]
    public void The_same_seed_tries_the_same_subsets()
    {
        for (byte record = 1; record <= 12; record++)
        {
            Write(record, record);
        }

        Flush();
        string log = Path.Combine(_folder, "log"), seen = Path.Combine(_folder, "seen");
        OpenLog().Dispose();
        string Seen(int seed)
        {
            File.Delete(seen);
            using WriteLog opened = new(log);
            using CheckViews views = new();
            Check check = new($"md5sum <\"$UDM_DEVICE\" >>'{seen}'", null);
            File.WriteAllBytes(Device, new byte[32 * Block]);
            Assert.Null(new Campaign(opened, Device, opened.Entries.Count, check, views) { Subsets = 3, Seed = seed }.Run(1));
            return File.ReadAllText(seen);
        }

        Assert.Equal("9430ff9575bc8b4d2b2f9abaa8a39477", Seen(1)[..32]); // also in other processes
        Assert.Equal(Seen(1), Seen(1));
        Assert.NotEqual(Seen(1), Seen(2));
    }

    [Fact]
    public void A_device_that_is_missing_is_as_large_as_the_log_needs()
    {
        Write(3, 7);
        Flush();
        Write(5, 8);
        using WriteLog log = OpenLog();
        File.Delete(Device);
        Files.MakeIfMissing(Device, log.Extent);
        using CheckViews views = new();
        Assert.Null(new Campaign(log, Device, log.Entries.Count, new Check("[ \"$(stat -c %s \"$UDM_DEVICE\")\" = 3072 ]", null), views).Run(2));
        Assert.Equal("000708", Blocks(6));
    }

    [Fact]
    public void What_a_failed_check_left_is_kept_where_that_is_wanted()
    {
        WriteRecords(4, commitFirstAt: 2);
        using WriteLog log = OpenLog();
        using CheckViews views = new();
        Check check = RecordsAreWhole with { Command = "printf x | dd of=\"$UDM_DEVICE\" bs=1 seek=15872 conv=notrunc status=none\n" + RecordsAreWhole.Command };
        string kept = Path.Combine(_folder, "kept");
        Failure? failure = new Campaign(log, Device, log.Entries.Count, check, views) { Keep = kept }.Run(1);
        Assert.Equal([Path.Combine(kept, $"{failure!.Entries}")], Directory.GetFiles(kept));
        byte[] view = File.ReadAllBytes(Path.Combine(kept, $"{failure.Entries}"));
        Assert.Equal((2, 'x'), (view[0], (char)view[15872]));
        Assert.Equal(0, File.ReadAllBytes(Device)[15872]);
    }

    [Fact]
    public void A_check_that_changes_its_view_does_not_disturb_the_next()
    {
        WriteRecords(4, commitFirstAt: 0);
        using WriteLog log = OpenLog();
        using CheckViews views = new();
        Check spoiler = new("test \"$(od -An -tu1 -j 15872 -N 1 \"$UDM_DEVICE\" | tr -d ' ')\" = 0 && printf x | dd of=\"$UDM_DEVICE\" bs=1 seek=15872 conv=notrunc status=none", null);
        Assert.Null(new Campaign(log, Device, log.Entries.Count, spoiler, views).Run(1));
    }

    [Fact]
    public void A_check_that_cannot_tell_is_skipped_and_one_that_takes_too_long_fails()
    {
        WriteRecords(2, commitFirstAt: 0);
        using WriteLog log = OpenLog();
        using CheckViews views = new();
        Campaign skipped = new(log, Device, log.Entries.Count, new Check("exit 125", null), views);
        Assert.Null(skipped.Run(1));
        Assert.Equal(0, skipped.Checked);
        Assert.Equal(skipped.Points.Count, skipped.Skipped);
        Failure? failure = new Campaign(log, Device, log.Entries.Count, new Check("sleep 100", TimeSpan.FromMilliseconds(1)), views).Run(1);
        Assert.Contains("took longer", failure?.Text);
    }

    [Fact]
    public void The_verb_tells_of_a_failure_in_JSON_with_the_keys_that_the_page_has()
    {
        WriteRecords(3, commitFirstAt: 2);
        OpenLog().Dispose();
        using LocalVerbs udm = new();
        (int status, string output, string error) = udm.Run("replay", Path.Combine(_folder, "log"), Device, "--check", RecordsAreWhole.Command, "--json");
        Assert.Equal((1, ""), (status, error));
        using JsonDocument json = JsonDocument.Parse(output);
        JsonElement failure = json.RootElement.GetProperty("failure");
        Assert.NotEmpty(failure.GetProperty("writes").EnumerateArray());
        string page = File.ReadAllText(Path.Combine(RepositoryTests.Root, "docs", "json.md"));
        Assert.All(json.RootElement.EnumerateObject().Concat(failure.EnumerateObject()), property => Assert.Contains($"`{property.Name}`", page));
    }

    private string Device => Path.Combine(_folder, "device");

    /// <summary>Block 0 counts the records; each is in the block of its number, and filled with it.</summary>
    private static Check RecordsAreWhole => new(
        """
        byte() { od -An -tu1 -j $(($1 * 512)) -N 1 "$UDM_DEVICE" | tr -d ' '; }
        for i in $(seq "$(byte 0)"); do [ "$(byte $i)" = "$i" ] || exit 1; done
        """,
        null);

    /// <summary>Records, each flushed before the count that covers it; one of them is not.</summary>
    private void WriteRecords(byte count, int commitFirstAt)
    {
        for (byte record = 1; record <= count; record++)
        {
            bool wrong = record == commitFirstAt;
            Write(wrong ? 0 : record, record);
            Flush();
            Write(wrong ? record : 0, record);
            Flush();
        }
    }

    private void Write(int block, byte value)
    {
        byte[] data = new byte[Block];
        data.AsSpan().Fill(value);
        _entries.Add((new LogEntry((ulong)block, 1, LogFlags.None, 0), data));
    }

    private void Discard(int block) => _entries.Add((new LogEntry((ulong)block, 1, LogFlags.Discard, 0), []));

    private void Flush() => _entries.Add((new LogEntry(0, 0, LogFlags.Flush, 0), []));

    private void Mark(string text) => _entries.Add((new LogEntry(0, 0, LogFlags.Mark, (ulong)text.Length), System.Text.Encoding.UTF8.GetBytes(text)));

    private WriteLog OpenLog()
    {
        string path = Path.Combine(_folder, "log");
        using (FileStream file = File.Create(path))
        {
            byte[] block = new byte[Block];
            new LogSuperBlock((ulong)_entries.Count, Block).Write(block);
            file.Write(block);
            foreach ((LogEntry entry, byte[] tail) in _entries)
            {
                block.AsSpan().Clear();
                entry.Write(block);
                if ((entry.Flags & LogFlags.Mark) != 0)
                {
                    tail.CopyTo(block, LogEntry.Size);
                }

                file.Write(block);
                file.Write(entry.HasData ? tail : []);
            }
        }

        File.WriteAllBytes(Device, new byte[32 * Block]);
        return new WriteLog(path);
    }

    private byte FirstByte(int block) => File.ReadAllBytes(Device)[block * Block];

    private string Blocks(int count) => string.Concat(Enumerable.Range(0, count).Select(FirstByte));
}
