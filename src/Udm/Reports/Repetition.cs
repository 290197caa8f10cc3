using System.Diagnostics;
using Udm.Statistics;
using Udm.Verbs;

namespace Udm.Reports;

/// <summary>Reports that are repeated: <c>--count</c> times (1 unless said; 0, or <c>--interval</c> alone: without an end), every <c>--interval</c> seconds.</summary>
internal static class Repetition
{
    /// <summary>The time from one report to the next; 1 s unless said.</summary>
    public static TimeSpan IntervalOf(CommandLine options) =>
        TimeSpan.FromSeconds(options.Has(Option.Interval) ? NumberPrefix.Int32(options.Value(Option.Interval)) : 1);

    /// <summary>Reports as often as it is asked for; a failure ends it.</summary>
    /// <param name="context">The verb's surroundings.</param>
    /// <param name="report">Reports once.</param>
    /// <param name="emptyLines">Whether there is an empty line between two times, as in dmsetup's reports.</param>
    public static void Run(VerbContext context, Action report, bool emptyLines = true)
    {
        CommandLine options = context.Options;
        TimeSpan interval = IntervalOf(options);
        int count = NumberPrefix.Int32(options.Value(Option.Count));
        bool endless = count == 0 && (options.Has(Option.Count) || options.Has(Option.Interval));
        if (count < 0 || interval <= TimeSpan.Zero)
        {
            throw new UsageException(count < 0 ? "--count: a number that is not negative is expected" : "--interval: a positive number of seconds is expected");
        }

        Stopwatch running = Stopwatch.StartNew();
        for (int round = 1; endless || round <= Math.Max(count, 1); round++)
        {
            report();
            if (context.Failed)
            {
                return;
            }

            if (endless || round < count)
            {
                if (emptyLines && !context.PrintsJson)
                {
                    context.Out.WriteLine();
                }

                context.Out.Flush();
                TimeSpan left = (interval * round) - running.Elapsed;
                Thread.Sleep(left > TimeSpan.Zero ? left : TimeSpan.Zero);
            }
        }
    }
}
