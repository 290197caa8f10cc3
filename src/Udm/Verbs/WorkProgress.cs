using System.Diagnostics;

namespace Udm.Verbs;

/// <summary>Tells how far long work is: on a terminal in one line that changes, elsewhere a line each second with <c>--verbose</c>, else not at all.</summary>
internal sealed class WorkProgress : IProgress<ulong>, IDisposable
{
    private const int Often = 250, Seldom = 1000; // ms

    private readonly VerbContext _context;
    private readonly string _text;
    private readonly bool _speaks;
    private long _next = Stopwatch.GetTimestamp() + (Stopwatch.Frequency * Often / 1000); // what is done at once is not told
    private bool _shown;

    /// <summary>Starts the work.</summary>
    /// <param name="context">The verb's surroundings.</param>
    /// <param name="text">What is counted, <c>{0}</c> in it being how many.</param>
    public WorkProgress(VerbContext context, string text)
    {
        _context = context;
        _text = text;
        _speaks = context.ErrorIsTerminal || context.Options.Has(Option.Verbose);
    }

    /// <inheritdoc/>
    public void Report(ulong value)
    {
        long now = _speaks ? Stopwatch.GetTimestamp() : 0;
        if (now < _next)
        {
            return;
        }

        _next = now + (Stopwatch.Frequency * (_context.ErrorIsTerminal ? Often : Seldom) / 1000);
        string line = string.Format(System.Globalization.CultureInfo.InvariantCulture, _text, value);
        if (_context.ErrorIsTerminal)
        {
            _context.Error.Write($"\r{line}\e[K");
            _shown = true;
        }
        else
        {
            _context.Error.WriteLine(line);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_shown)
        {
            _context.Error.Write("\r\e[K");
        }
    }
}
