using System.Globalization;
using System.Runtime.InteropServices;
using Udm.Reports;
using Udm.Statistics;

namespace Udm.Verbs;

/// <summary>Shows the I/O of devices while it happens.</summary>
internal sealed class WatchVerb : Verb
{
    private const string Clear = "\e[H\e[J", Red = "\e[31m", Yellow = "\e[33m", Plain = "\e[0m"; // to the top left, and clear below
    private static readonly TimeSpan _keyPause = TimeSpan.FromMilliseconds(100);

    /// <inheritdoc/>
    public override string Name => "watch";

    /// <inheritdoc/>
    public override string Usage => "[--interval SECONDS] [--count N] [--json] [DEVICE...]";

    /// <inheritdoc/>
    public override string Summary => "Shows rates, latencies and paths of devices, live.";

    /// <inheritdoc/>
    public override string Help =>
        """
        A line a device: reads and writes a second, MiB a second, how long one takes in microseconds, I/O in flight, and the share of
        the time with I/O; below a multipath device its paths. Of all devices unless some are named. On a terminal it is drawn
        anew each time, until q or Ctrl-C; NO_COLOR leaves colours out.

          --interval  seconds from one to the next, as 0.5; 1 unless said
          --count     ends after so many
          --json      each time a line of JSON

        While it runs, each device has a region of statistics of the program udm-watch.

        Example:
          udm watch --count 1
        """;

    /// <inheritdoc/>
    public override int WrongUsageStatus => 2;

    /// <inheritdoc/>
    public override bool RepeatsItself(CommandLine options) => true;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        TimeSpan interval = Interval(context);
        uint? count = context.Number(Option.Count);
        using ManualResetEventSlim ended = new();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using Watcher watcher = new(context, context.Operands);
        _ = watcher.Take(); // begins to count
        for (uint round = 0; count is null or 0 || round < count; round++)
        {
            if (Waits(context, ended, interval))
            {
                break;
            }

            Write(context, watcher.Take(), isFirst: round == 0);
            context.Out.Flush();
        }

        return 0;

        void End(PosixSignalContext signal)
        {
            signal.Cancel = true; // the regions are deleted first
            ended.Set();
        }
    }

    private static TimeSpan Interval(VerbContext context)
    {
        string word = context.Options.Value(Option.Interval) ?? "1";
        return double.TryParse(word, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds is > 0 and < 1e6
            ? TimeSpan.FromSeconds(seconds)
            : throw new UsageException($"--interval: '{word}' is not a positive number of seconds");
    }

    /// <summary>Waits for the next round.</summary>
    /// <returns>Whether the user has ended it.</returns>
    private static bool Waits(VerbContext context, ManualResetEventSlim ended, TimeSpan interval)
    {
        if (context.TerminalWidth is null || !context.InputIsTerminal)
        {
            return ended.Wait(interval);
        }

        for (TimeSpan left = interval; left > TimeSpan.Zero; left -= _keyPause)
        {
            if (ended.Wait(left < _keyPause ? left : _keyPause) || (Console.KeyAvailable && Console.ReadKey(intercept: true).KeyChar is 'q' or 'Q'))
            {
                return true;
            }
        }

        return false;
    }

    private static void Write(VerbContext context, IReadOnlyList<WatchRow> rows, bool isFirst)
    {
        if (context.PrintsJson)
        {
            using JsonList json = new(context.Out, "devices");
            foreach (WatchRow row in rows)
            {
                row.Write(json.Writer);
            }

            return;
        }

        bool isTerminal = context.TerminalWidth is not null;
        bool colours = isTerminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        context.Out.Write(isTerminal ? Clear : isFirst ? "" : "\n");
        context.Out.WriteLine(Cut(WatchRow.Headings, context.TerminalWidth));
        foreach (WatchRow row in rows)
        {
            WriteLine(context, row + (row.Suspended ? " suspended" : ""), colours && row.Suspended ? Yellow : null);
            foreach ((string path, string state, string text) in row.Paths)
            {
                WriteLine(context, $"  {path}  {state}, {text}", colours && state != "active" ? Red : null);
            }
        }
    }

    private static void WriteLine(VerbContext context, string line, string? colour)
    {
        string cut = Cut(line, context.TerminalWidth);
        context.Out.WriteLine(colour is null ? cut : $"{colour}{cut}{Plain}");
    }

    private static string Cut(string line, int? width) => width is > 0 and var columns && line.Length > columns ? line[..columns] : line;
}
