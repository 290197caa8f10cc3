using System.Text.RegularExpressions;
using DeviceMapper;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using DeviceMapper.Mapping.Checking;
using DeviceMapper.Nbd.Client;
using Microsoft.Extensions.Logging.Abstractions;
using Udm.Daemon;

namespace Udm.Verbs;

/// <summary>What is wrong with a device of a file.</summary>
/// <param name="Device">Its name.</param>
/// <param name="Line">The line of its table's text, from 1; null where no line is to blame.</param>
/// <param name="Target">The target's type; null where the line is not understood, or none is to blame.</param>
/// <param name="Sentence">What is wrong.</param>
/// <param name="Refusal">What the daemon would refuse it with; null where it would not come so far.</param>
internal sealed record FoundProblem(string Device, int? Line, string? Target, string Sentence, DmException? Refusal)
{
    /// <summary>As the refusal of the verb that makes the device: of a table of one line, the daemon does not number it.</summary>
    /// <param name="table">The device's table.</param>
    public Exception Refused(string table)
    {
        bool numbered = Line is not null && (Refusal is null ? Target is null : table.Trim().Contains('\n'));
        string sentence = numbered ? $"line {Line}: {Sentence}" : Sentence;
        return Refusal is null ? new VerbException(sentence) : new DmException(Refusal.Errno, sentence);
    }
}

/// <summary>Checks devices of a file, one after the other, as if each were made; see <see cref="TableChecker"/>.</summary>
internal sealed partial class DeviceCheck : IDisposable
{
    private readonly VerbContext _context;
    private readonly TableChecker _checker;

    /// <summary>Starts to check.</summary>
    /// <param name="context">The verb's surroundings. Where a daemon answers, its devices are known.</param>
    /// <param name="takesNames">Whether a device may not have the name of one of the daemon's.</param>
    public DeviceCheck(VerbContext context, bool takesNames)
    {
        _context = context;
        DeviceRegistryOptions options = new() { MapperFolder = context.Run.Mapper, Schemes = [new NbdScheme(NullLogger.Instance)] };
        _checker = new TableChecker(options, DaemonDevices.Of(context), takesNames);
    }

    /// <summary>Checks a device.</summary>
    public IReadOnlyList<FoundProblem> Check(FileDevice device)
    {
        ConciseDevice wanted = device.Device;
        List<FoundProblem> problems = [];
        List<(int Number, TableLine Line)> lines = Read(wanted, problems);
        string name;
        string? uuid;
        try
        {
            name = NameMangling.ToDaemon(wanted.Name, "name", DmIoctl.MaxNameLength, _context.Mangling);
            uuid = wanted.Uuid.Length == 0 ? null : NameMangling.ToDaemon(wanted.Uuid, "uuid", DmIoctl.MaxUuidLength, _context.Mangling);
        }
        catch (VerbException e)
        {
            problems.Insert(0, new FoundProblem(wanted.Name, null, null, e.Message, null));
            return problems;
        }

        int[] malformed = [.. problems.Select(problem => problem.Line!.Value)];
        foreach (TableProblem problem in _checker.Check(name, [.. lines.Select(l => l.Line)], wanted.ReadOnly ? DeviceMode.ReadOnly : DeviceMode.ReadWrite, wanted.Minor, uuid))
        {
            if (problem.Line is not { } at)
            {
                problems.Add(new FoundProblem(wanted.Name, null, null, problem.Refusal.Message, problem.Refusal));
                continue;
            }

            // After a line that is malformed the next one seems to leave a gap.
            (int number, TableLine line) = lines[at];
            bool seemsToLeaveGap = malformed.Any(m => m < number && (at == 0 || m > lines[at - 1].Number));
            if (!seemsToLeaveGap || !problem.Refusal.Message.Contains(": start: ", StringComparison.Ordinal))
            {
                problems.Add(new FoundProblem(wanted.Name, number, line.Type, problem.Refusal.Message, problem.Refusal));
            }
        }

        if (lines.Count == 0 && problems.Count > 0)
        {
            _checker.Miss(name);
        }

        return [.. problems.OrderBy(p => p.Line ?? 0)];
    }

    /// <summary>A table as the daemon would print it; null where that cannot be found out, or it would be refused.</summary>
    public IReadOnlyList<TableLine>? TextOf(IReadOnlyList<TableLine> lines, bool readOnly) =>
        _checker.TextOf(lines, readOnly ? DeviceMode.ReadOnly : DeviceMode.ReadWrite);

    /// <inheritdoc/>
    public void Dispose() => _checker.Dispose();

    private static List<(int Number, TableLine Line)> Read(ConciseDevice device, List<FoundProblem> problems)
    {
        List<(int Number, TableLine Line)> lines = [];
        foreach ((int number, TableLine line) in TableParser.ParseAll(device.Table, Refused))
        {
            try
            {
                TableInput.CheckType(line);
                lines.Add((number, TablePaths.Resolve(line)));
            }
            catch (VerbException e)
            {
                problems.Add(new FoundProblem(device.Name, number, line.Type, e.Message, null));
            }
        }

        return lines;

        void Refused(DmException refusal)
        {
            Match at = LineNumber().Match(refusal.Message);
            problems.Add(new FoundProblem(device.Name, int.Parse(at.Groups["number"].ValueSpan), null, refusal.Message[at.Length..], null));
        }
    }

    [GeneratedRegex("^line (?<number>[0-9]+): ")]
    private static partial Regex LineNumber();
}
