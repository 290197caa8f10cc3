using System.Runtime.ExceptionServices;
using Udm.Verbs;

namespace Udm.Replay;

/// <summary>A moment at which a check failed.</summary>
/// <param name="Entries">How many entries were replayed.</param>
/// <param name="Since">Those of them that were durable for sure.</param>
/// <param name="Subset">The entries after <paramref name="Since"/> that were replayed, from 0; null for all.</param>
/// <param name="Text">How the check ended, and what it printed.</param>
internal sealed record Failure(int Entries, int Since, IReadOnlyList<int>? Subset, string Text);

/// <summary>Checks a device at every moment of a log at which the power could have gone.</summary>
/// <param name="log">The log.</param>
/// <param name="device">The device to which it is replayed, as it was when the log began.</param>
/// <param name="end">How many entries there are to replay at most.</param>
/// <param name="check">The check.</param>
/// <param name="views">Views for it.</param>
internal sealed class Campaign(WriteLog log, string device, int end, Check check, CheckViews views)
{
    private int _lowestFailure = int.MaxValue;
    private int _checked;
    private int _skipped;

    /// <summary>How many random subsets of the writes between two flushes are tried, beside all of them.</summary>
    public int Subsets { get; init; }

    /// <summary>What the subsets depend on.</summary>
    public int Seed { get; init; }

    /// <summary>A folder for what a failed check has left of its view, in a file of the number of entries; null: it is thrown away too.</summary>
    public string? Keep { get; init; }

    /// <summary>Told of each check, with how many entries were replayed.</summary>
    public Action<int>? Progress { get; init; }

    /// <summary>Checks that were done, but for those skipped.</summary>
    public int Checked => _checked;

    /// <summary>Checks that could not tell.</summary>
    public int Skipped => _skipped;

    /// <summary>How many entries stand before each moment: after every flush and durable write, and at the end.</summary>
    public IReadOnlyList<int> Points =>
        [.. Enumerable.Range(1, end).Where(i => i == end || log.Entries[i - 1].IsFlushPoint)];

    /// <summary>Checks all moments in their order, several jobs each a part of them on a copy of the device.</summary>
    /// <returns>The first failure; null without one. With one job the device is left as it was there.</returns>
    public Failure? Run(int jobs)
    {
        IReadOnlyList<int> points = Points;
        jobs = Math.Clamp(jobs, 1, Math.Max(1, points.Count));
        if (jobs == 1)
        {
            return RunPart(device, points, 0, points.Count);
        }

        Failure?[] failures = new Failure?[jobs];
        try
        {
            Parallel.For(0, jobs, new ParallelOptions { MaxDegreeOfParallelism = jobs }, job =>
                failures[job] = WithCopy(job, copy => RunPart(copy, points, points.Count * job / jobs, points.Count * (job + 1) / jobs)));
        }
        catch (AggregateException problems)
        {
            ExceptionDispatchInfo.Throw(problems.InnerExceptions[0]); // a sentence for the user
        }

        Failure? first = failures.OfType<Failure>().MinBy(f => f.Entries);
        using LogReplayer replayer = new(log, device);
        Restore(replayer, first);
        return first;
    }

    /// <summary>Finds the first moment at which the check fails by halves: it must not become good again later.</summary>
    public Failure? Bisect()
    {
        IReadOnlyList<int> points = Points;
        (int good, int bad) = (-1, points.Count);
        Failure? found = null;
        while (bad - good > 1)
        {
            int middle = (good + bad) / 2;
            Failure? failure = WithCopy(0, copy => RunPart(copy, points, middle, middle + 1));
            (good, bad, found) = failure is null ? (middle, bad, found) : (good, middle, failure);
        }

        using LogReplayer replayer = new(log, device);
        Restore(replayer, found);
        return found;
    }

    private T WithCopy<T>(int job, Func<string, T> use)
    {
        string copy = $"{device}.udm-replay-{job}";
        Files.Copy(device, copy);
        try
        {
            return use(copy);
        }
        finally
        {
            File.Delete(copy);
        }
    }

    private Failure? RunPart(string path, IReadOnlyList<int> points, int first, int past)
    {
        using LogReplayer replayer = new(log, path);
        for (int i = first; i < past && points[i] < Volatile.Read(ref _lowestFailure); i++)
        {
            int since = i == 0 ? 0 : points[i - 1];
            replayer.AdvanceTo(since);
            Failure? failure = TrySubsets(path, since, points[i]);
            if (failure is null)
            {
                replayer.AdvanceTo(points[i]);
                failure = Try(path, points[i], since, null);
            }
            else
            {
                Restore(replayer, failure);
            }

            if (failure is not null)
            {
                NoteFailure(points[i]);
                return failure;
            }
        }

        return null;
    }

    private Failure? TrySubsets(string path, int since, int point)
    {
        int[] unflushed = [.. Enumerable.Range(since, point - since).Where(e => log.Entries[e].Entry.Blocks > 0)];
        for (int n = 0; n < Subsets && unflushed.Length > 1; n++)
        {
            Random random = new(unchecked((((Seed * 31) + point) * 31) + n)); // the same in each run, as HashCode is not
            int[] subset = [.. unflushed.Where(_ => random.Next(2) == 0)];
            if (Try(path, point, since, subset) is { } failure)
            {
                return failure;
            }
        }

        return null;
    }

    private Failure? Try(string path, int point, int since, IReadOnlyList<int>? subset)
    {
        (Verdict verdict, string text) = views.With(path, view =>
        {
            if (subset is not null)
            {
                using LogReplayer replayer = new(log, view);
                ReplayEach(replayer, subset);
            }

            (Verdict verdict, string text) = check.Run(view, point, log.MarkBefore(point));
            if (verdict == Verdict.Bad && Keep is not null)
            {
                Directory.CreateDirectory(Keep);
                Files.Copy(view, Path.Combine(Keep, $"{point}"));
            }

            return (verdict, text);
        });
        Interlocked.Increment(ref verdict == Verdict.Skipped ? ref _skipped : ref _checked);
        Progress?.Invoke(point);
        return verdict == Verdict.Bad ? new Failure(point, since, subset, text) : null;
    }

    private void ReplayEach(LogReplayer replayer, IReadOnlyList<int> entries)
    {
        foreach (int entry in entries)
        {
            replayer.Replay(log.Entries[entry]);
        }
    }

    /// <summary>Makes the device what it was at a failure; without one, what it is at the end.</summary>
    private void Restore(LogReplayer replayer, Failure? failure)
    {
        replayer.AdvanceTo(failure is null ? end : failure.Subset is null ? failure.Entries : failure.Since);
        ReplayEach(replayer, failure?.Subset ?? []);
    }

    private void NoteFailure(int point)
    {
        int before;
        while (point < (before = Volatile.Read(ref _lowestFailure)) && Interlocked.CompareExchange(ref _lowestFailure, point, before) != before)
        {
            // another job noted one
        }
    }
}
