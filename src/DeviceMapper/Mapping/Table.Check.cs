using DeviceMapper.Io;
using DeviceMapper.Mapping.Checking;
using DeviceMapper.Targets;

namespace DeviceMapper.Mapping;

/// <content>Finds all that is wrong with a table, not only the first thing.</content>
public sealed partial class Table
{
    /// <summary>In place of a device that was refused. No path has such a name.</summary>
    internal const string StandInDevice = "\0";

    // What a number may be, where the one that was written is none: tried one after the other.
    private static readonly string[] _standInNumbers = ["1", "8", "0", "512", "4096"];

    /// <summary>What is wrong with the lines of a table, each looked at as if the others were right.</summary>
    /// <remarks>
    /// An argument that is refused is replaced by one that is not, to find what is wrong with those after it. As a number may decide what the
    /// words after it mean, only devices are looked at after one that was replaced.
    /// </remarks>
    internal static IReadOnlyList<TableProblem> Check(MappedDevice owner, IReadOnlyList<TableLine> lines, DeviceMode mode)
    {
        Table table = new(owner, mode);
        List<TableProblem> problems = [];
        List<Target> targets = [];
        try
        {
            for (int i = 0; i < lines.Count; i++)
            {
                targets.Add(table.CheckLine(lines[i], targets, refusal => problems.Add(new TableProblem(i, refusal))));
            }
        }
        finally
        {
            table._targets = [.. targets];
            problems.AddRange(table.CheckAreas());
            table.Refuse();
        }

        return [.. problems.OrderBy(problem => problem.Line)];
    }

    private Target CheckLine(TableLine line, List<Target> before, Action<DmException> refused)
    {
        TargetType? type = null;
        try
        {
            type = CheckPlace(line, before);
        }
        catch (DmException refusal)
        {
            refused(refusal);
            type = Owner.Registry.FindTargetType(line.Type);
        }

        Target? target = type is null || line.Length == SectorCount.Zero ? null : CheckArguments(type, line, refused);
        return target ?? new StandInTarget(new TargetArguments(this, type ?? ErrorTarget.Definition, line.Start, line.Length, [], default));
    }

    private Target? CheckArguments(TargetType type, TableLine line, Action<DmException> refused)
    {
        List<string> words = [.. TableParser.SplitWords(line.Arguments)];
        Dictionary<int, int> replaced = []; // arguments from 1, and how many words were tried in their place
        bool onlyDevices = false;
        while (true)
        {
            try
            {
                Target target = CreateTarget(type, line, words, default);
                if (replaced.Count == 0)
                {
                    return target;
                }

                target.Dispose();
                return null;
            }
            catch (DmException refusal)
            {
                RefusedArgument? argument = refusal.Argument;
                int number = argument?.Number ?? 0;
                bool again = replaced.TryGetValue(number, out int tried);
                if (!again && (argument is null ? replaced.Count == 0 : !onlyDevices || IsPath(argument.Value)))
                {
                    refused(refusal);
                }

                if (argument is not { } at || (at.IsDevice ? again : tried == _standInNumbers.Length))
                {
                    return null;
                }

                onlyDevices |= !at.IsDevice;
                replaced[number] = tried + 1;
                words[number - 1] = at.IsDevice ? StandInDevice : _standInNumbers[tried];
            }
            catch (Exception) when (replaced.Count > 0)
            {
                return null; // the target met something that no table says
            }
        }
    }

    /// <summary>A word that can hardly be anything but a device's.</summary>
    private static bool IsPath(RefusedArgument argument) => argument.IsDevice && argument.Value.AsSpan().ContainsAny('/', ':');

    private List<TableProblem> CheckAreas()
    {
        List<TableProblem> problems = [];
        for (int i = 0; i < _targets.Length; i++)
        {
            try
            {
                QueueLimits below = QueueLimits.Stacking;
                TargetArea[] areas = [.. _targets[i].Areas];
                foreach (TargetArea area in areas)
                {
                    below = below.Stack(LimitsOf(area), area.Start);
                }

                uint block = _targets[i].AdjustLimits(below).LogicalBlockSize;
                foreach (TargetArea area in areas)
                {
                    CheckArea(i, area, block);
                }
            }
            catch (DmException refusal)
            {
                string sentence = refusal.Message[(_targets.Length > 1 ? $"line {i + 1}: ".Length : 0)..];
                problems.Add(new TableProblem(i, new DmException(refusal.Errno, sentence)));
            }
        }

        return problems;
    }
}
