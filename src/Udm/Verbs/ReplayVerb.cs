using System.Text;
using DeviceMapper.Targets.LogWrites;
using Udm.Reports;
using Udm.Replay;

namespace Udm.Verbs;

/// <summary>Replays a log of log-writes to a device, and checks it at every moment at which the power could have gone.</summary>
internal sealed class ReplayVerb : Verb
{
    private const string End = "END";

    /// <inheritdoc/>
    public override string Name => "replay";

    /// <inheritdoc/>
    public override string Usage =>
        "LOG DEVICE [--to ENTRY|MARK|END]\nLOG DEVICE --check CMD [--to ENTRY|MARK|END] [--bisect | --jobs N] [--subsets N [--seed N]] [--timeout SECONDS]\n    [--keep FOLDER] [--json]";

    /// <inheritdoc/>
    public override string Summary => "Replays a log of log-writes to a device; with --check, looks at every moment at which the power could have gone.";

    /// <inheritdoc/>
    public override string Help =>
        """
        LOG and DEVICE are files or block devices; a DEVICE that is missing is made,
        as large as what the log changes needs. Entries are counted from 1.

          --to       replays the first ENTRY entries, or up to the first mark of that text, or all
          --check    a command for the shell, run after each flush and each durable write, with UDM_DEVICE (a view, which is
                     thrown away), UDM_ENTRY and UDM_MARK; 0 is good, 125 cannot tell, else it is a failure, the first of which
                     ends the replay and leaves DEVICE as it was then
          --bisect   finds the first failure by halves, where what has failed stays so
          --jobs     so many at once, each on a copy of DEVICE beside it
          --subsets  so many random subsets of the writes since the last flush, too; --seed chooses others
          --timeout  a check that takes longer has failed
          --keep     what a failed check has left of its view becomes the file FOLDER/ENTRY

        Exit status: 0 no failure, 1 a failure, 2 wrong usage.

        Example:
          udm replay log.img copy.img --check 'fsck.ext4 -fn "$UDM_DEVICE"' --jobs 2
        """;

    /// <inheritdoc/>
    public override IReadOnlyList<Option> OwnOptions =>
    [
        Option.Bisect, Option.Check, Option.Jobs, Option.Keep, Option.Seed, Option.Subsets, Option.Timeout, Option.To,
    ];

    /// <inheritdoc/>
    public override int MinOperands => 2;

    /// <inheritdoc/>
    public override int MaxOperands => 2;

    /// <inheritdoc/>
    public override int WrongUsageStatus => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        CommandLine options = context.Options;
        string? command = options.Value(Option.Check);
        if (command is null && (options.Has(Option.Bisect) || options.Has(Option.Jobs) || options.Has(Option.Subsets) || options.Has(Option.Keep)))
        {
            throw new UsageException("--bisect, --jobs, --subsets and --keep need --check");
        }

        using WriteLog log = new(context.Operands[0]);
        string device = context.Operands[1];
        int end = FindEnd(log, options.Value(Option.To) ?? End);
        Files.MakeIfMissing(device, log.Extent);
        if (command is null)
        {
            using LogReplayer replayer = new(log, device);
            replayer.AdvanceTo(end);
            return 0;
        }

        uint? seconds = context.Number(Option.Timeout);
        using CheckViews views = new();
        Campaign campaign = new(log, device, end, new Check(command, seconds is null ? null : TimeSpan.FromSeconds(seconds.Value)), views)
        {
            Subsets = (int)(context.Number(Option.Subsets) ?? 0),
            Seed = (int)(context.Number(Option.Seed) ?? 0),
            Keep = options.Value(Option.Keep),
            Progress = ShowProgress(context, end),
        };
        Failure? failure = options.Has(Option.Bisect) ? campaign.Bisect() : campaign.Run((int)(context.Number(Option.Jobs) ?? 1));
        if (context.PrintsJson)
        {
            WriteJson(context, campaign, log, failure);
        }
        else
        {
            context.Out.WriteLine($"{campaign.Checked} checks, {campaign.Skipped} skipped, {end} entries");
            context.Out.Write(failure is null ? "" : Describe(log, failure));
        }

        return failure is null ? 0 : 1;
    }

    private static int FindEnd(WriteLog log, string to)
    {
        if (to == End)
        {
            return log.Entries.Count;
        }

        if (int.TryParse(to, out int entry) && entry >= 0 && entry <= log.Entries.Count)
        {
            return entry;
        }

        int mark = log.Entries.ToList().FindIndex(e => e.Mark == to);
        return mark >= 0 ? mark + 1 : throw new VerbException($"--to: '{to}' is neither an entry from 0 to {log.Entries.Count}, nor a mark of the log, nor {End}");
    }

    /// <summary>A line a second on standard error.</summary>
    private static Action<int> ShowProgress(VerbContext context, int end)
    {
        long last = Environment.TickCount64;
        int count = 0;
        return entry =>
        {
            int done = Interlocked.Increment(ref count);
            long now = Environment.TickCount64;
            long before = Volatile.Read(ref last);
            if (now - before >= 1000 && Interlocked.CompareExchange(ref last, now, before) == before)
            {
                context.Error.WriteLine($"udm: replay: entry {entry} of {end}, {done} checks");
            }
        };
    }

    private static void WriteJson(VerbContext context, Campaign campaign, WriteLog log, Failure? failure) => JsonValues.Print(context.Out, json =>
    {
        json.WriteNumber("checks", campaign.Checked);
        json.WriteNumber("skipped", campaign.Skipped);
        if (failure is null)
        {
            json.WriteNull("failure");
            return;
        }

        string mark = log.MarkBefore(failure.Entries);
        json.WriteStartObject("failure");
        json.WriteNumber("entry", failure.Entries);
        json.WriteNumber("durable_entries", failure.Since);
        json.WriteString("mark", mark.Length == 0 ? null : mark);
        json.WriteString("check", failure.Text);
        json.WriteStartArray("writes");
        foreach ((ulong start, ulong length) in Writes(log, failure))
        {
            json.WriteStartObject();
            json.WriteNumber("start_sector", start);
            json.WriteNumber("length_sectors", length);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    /// <summary>The sectors, from and how many, of what was replayed and not durable for sure.</summary>
    private static IEnumerable<(ulong Start, ulong Length)> Writes(WriteLog log, Failure failure)
    {
        ulong sectors = (ulong)log.BlockSize / 512;
        return (failure.Subset ?? Enumerable.Range(failure.Since, failure.Entries - failure.Since))
            .Select(e => log.Entries[e].Entry).Where(e => e.Blocks > 0).Select(e => (e.Block * sectors, e.Blocks * sectors));
    }

    /// <summary>The moment, and the sectors of the device that changed since the flush before.</summary>
    private static string Describe(WriteLog log, Failure failure)
    {
        StringBuilder text = new();
        LogFlags flags = log.Entries[failure.Entries - 1].Entry.Flags;
        string mark = log.MarkBefore(failure.Entries);
        text.Append($"entry {failure.Entries}{(flags == LogFlags.None ? "" : $" ({flags.ToString().ToLowerInvariant()})")}");
        text.Append(mark.Length == 0 ? "" : $", after the mark '{mark}'").Append($": the check {failure.Text}");
        string changed = string.Join(' ', Writes(log, failure).Select(write => $"{write.Start}+{write.Length}"));
        text.Append($"sectors since entry {failure.Since}{(failure.Subset is null ? "" : ", of which a subset was replayed")}: {changed}\n");
        return text.ToString();
    }
}
