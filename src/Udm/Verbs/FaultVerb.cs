using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;

namespace Udm.Verbs;

/// <summary>Arms, shows and releases the faults of a <c>fault</c> target.</summary>
internal sealed class FaultVerb : Verb
{
    private const string TargetType = "fault";

    /// <inheritdoc/>
    public override string Name => "fault";

    /// <inheritdoc/>
    public override string Usage =>
        """
        DEVICE [rules]
        DEVICE add RULE FIELD...
        DEVICE remove|enable|disable|release|hits RULE
        DEVICE mark MARK
        DEVICE clear
        DEVICE wait RULE [HITS]
        DEVICE power_cut [inflight=eio|hang]
        DEVICE power_on [keep=none|all|prefix|random] [atomic=512|4096]
        --json DEVICE
        """;

    /// <inheritdoc/>
    public override string Summary => "Makes a device of the target fault fail, hang, lie or lose its power.";

    /// <inheritdoc/>
    public override string Help =>
        """
        Each change is in force when the verb returns. 'wait' returns when a rule that makes I/O hang, or cuts the power, has
        been hit as often as HITS says, once unless given. docs/targets/fault.md has the fields of a rule.

        Example:
          udm fault disk add here write 0+8 next=1 hang
          udm fault disk wait here
          udm fault disk release here
        """;

    /// <inheritdoc/>
    public override int MinOperands => 1;

    /// <inheritdoc/>
    public override int WrongUsageStatus => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        DeviceSelector device = context.Select(context.Operands[0]);
        IReadOnlyList<string> words = [.. context.Operands.Skip(1)];
        (DeviceInfo info, IReadOnlyList<TargetText> targets) = context.Devices.Targets(device, DmFlags.None);
        if (!targets.Any(t => t.Type == TargetType))
        {
            throw new VerbException($"'{info.Name}' has no {TargetType} target in its live table");
        }

        Sector sector = targets.First(t => t.Type == TargetType).Start;
        if (words.Count is 2 or 3 && words[0] == "wait")
        {
            WaitForHits(context, device, sector, words[1], words.Count == 2 ? 1 : Hits(words[2]));
            return 0;
        }

        string message = words.Count > 0 ? string.Join(' ', words.Select(TableParser.EscapeWord))
            : context.Options.Has(Option.Json) ? "json"
            : "rules";
        if (context.Devices.Message(device, sector, message, DmFlags.None) is { Length: > 0 } answer)
        {
            context.Out.Write(answer.EndsWith('\n') ? answer : answer + "\n");
        }

        return 0;
    }

    private static void WaitForHits(VerbContext context, DeviceSelector device, Sector sector, string rule, long hits)
    {
        while (true)
        {
            // The number of the last event is read before the hits: a hit in between ends the wait at once.
            uint events = context.Devices.Find(device, DmFlags.None)?.EventNumber ?? throw new VerbException("the device has gone");
            if (long.Parse(context.Devices.Message(device, sector, $"hits {TableParser.EscapeWord(rule)}", DmFlags.None)!) >= hits)
            {
                return;
            }

            context.Devices.Wait(device, events, DmFlags.None);
        }
    }

    private static long Hits(string word) =>
        long.TryParse(word, out long hits) && hits > 0 ? hits : throw new UsageException($"hits: '{word}' is not a positive number");
}
