using System.Globalization;
using System.Text.Json;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Shows and changes the paths of multipath devices.</summary>
internal sealed class MultipathVerb : Verb
{
    private const string TargetType = "multipath";
    private static readonly TimeSpan _watchPause = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public override string Name => "multipath";

    /// <inheritdoc/>
    public override string Usage =>
        """
        ls [--json] [--watch] [DEVICE]
        add DEVICE PATH [GROUP]
        rm DEVICE PATH
        fail|reinstate DEVICE PATH
        """;

    /// <inheritdoc/>
    public override string Summary => "Shows the paths of multipath devices, adds, removes, fails and reinstates them.";

    /// <inheritdoc/>
    public override string Help =>
        """
          ls         draws groups and paths: their states, since when and why, I/O in flight, how long an I/O takes, failures,
                     and ranges where an old write may still arrive; of all multipath devices unless one is named
          --json     the same as JSON
          --watch    again every second, until Ctrl-C
          add, rm    loads the table with a path more or less, and makes it live while I/O waits; a new path goes to the
                     group that is used, or to the one of a number
          fail       takes a path out of use until it is reinstated, by its name in the table, its number, or any word
                     that names its device

        Example:
          udm multipath add disk 'nbd+unix:///disk?socket=other.sock'
        """;

    /// <inheritdoc/>
    public override IReadOnlyList<Option> OwnOptions => [Option.Watch];

    /// <inheritdoc/>
    public override int MinOperands => 1;

    /// <inheritdoc/>
    public override int MaxOperands => 4;

    /// <inheritdoc/>
    public override int WrongUsageStatus => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        switch (context.Operands[0], context.Operands.Count)
        {
            case ("ls", 1 or 2):
                List(context);
                break;
            case ("add", 3 or 4):
                Change(context, table => table.Add(DeviceWord(context.Operands[2]), GroupNumber(context)));
                break;
            case ("rm", 3):
                Change(context, table => table.Remove(NameInTable(table, context.Operands[2])));
                break;
            case ("fail", 3):
                Send(context, $"fail_path {TableParser.EscapeWord(DeviceWord(context.Operands[2]))}");
                break;
            case ("reinstate", 3):
                Send(context, $"reinstate_path {TableParser.EscapeWord(DeviceWord(context.Operands[2]))}");
                break;
            default:
                throw new UsageException($"'{string.Join(' ', context.Operands)}' is not one of its forms");
        }

        return 0;
    }

    private static void List(VerbContext context)
    {
        bool watch = context.Options.Has(Option.Watch);
        do
        {
            if (watch && context.TerminalWidth is not null)
            {
                context.Out.Write("\e[H\e[2J"); // to the top left, and clear
            }

            using (JsonList? json = context.PrintsJson ? new JsonList(context.Out, "devices") : null)
            {
                ListOnce(context, json);
            }

            context.Out.Flush();
            if (watch)
            {
                Thread.Sleep(_watchPause);
            }
        }
        while (watch);
    }

    private static void ListOnce(VerbContext context, JsonList? json)
    {
        foreach (DeviceSelector device in Devices(context))
        {
            string report = context.Devices.Message(device, default, "show_paths", context.Flags) ?? "";
            if (json is not null)
            {
                json.Writer.WriteRawValue($"{{\"name\":\"{JsonEncodedText.Encode(device.Shown)}\",{report[1..]}");
                continue;
            }

            using JsonDocument parsed = JsonDocument.Parse(report);
            TreeSymbols symbols = TreeOptions.Parse(context.Options.Value(Option.Fields), context.TerminalWidth).Symbols;
            MultipathTree.Write(context.Out, device.Shown, parsed.RootElement, symbols, DateTimeOffset.UtcNow);
        }
    }

    private static IEnumerable<DeviceSelector> Devices(VerbContext context)
    {
        if (context.Operands.Count > 1)
        {
            DeviceSelector device = context.Select(context.Operands[1]);
            _ = Target(context, device);
            return [device];
        }

        return context.Devices.List()
            .Select(device => DeviceSelector.ByName(device.Name, context.Mangling))
            .Where(device => context.Devices.Targets(device, context.Flags).Targets.Any(t => t.Type == TargetType));
    }

    /// <summary>Loads a changed table and makes it live. I/O in flight goes on, or waits for a path of the new table.</summary>
    private static void Change(VerbContext context, Action<MultipathWords> change)
    {
        DeviceSelector device = context.Select(context.Operands[1]);
        (DeviceInfo info, TargetText target) = Target(context, device);
        if (info.HasInactiveTable)
        {
            throw new VerbException("it has an inactive table already: resume or clear it first");
        }

        MultipathWords table = MultipathWords.Parse(target.Text);
        change(table);
        DmFlags mode = info.IsReadOnly ? DmFlags.ReadOnly : DmFlags.None;
        context.Devices.Load(device, [new TableLine(target.Start, target.Length, TargetType, table.ToString())], mode);
        context.ShowIfVerbose(context.Devices.Resume(device, DmFlags.NoFlush | DmFlags.SkipLockFs));
    }

    private static void Send(VerbContext context, string message)
    {
        DeviceSelector device = context.Select(context.Operands[1]);
        _ = Target(context, device);
        context.Devices.Message(device, default, message, context.Flags);
    }

    private static (DeviceInfo Device, TargetText Target) Target(VerbContext context, DeviceSelector device)
    {
        (DeviceInfo info, IReadOnlyList<TargetText> targets) = context.Devices.Targets(device, DmFlags.StatusTable);
        return targets is [{ Type: TargetType } target]
            ? (info, target)
            : throw new VerbException("it is not a multipath device");
    }

    private static int? GroupNumber(VerbContext context) =>
        context.Operands.Count < 4 ? null
        : int.TryParse(context.Operands[3], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number
        : throw new UsageException($"group: '{context.Operands[3]}' is not a number");

    private static string DeviceWord(string word) => TablePaths.IsRelative(word) ? TableParser.SplitWords(TablePaths.Resolve(TableParser.EscapeWord(word)))[0] : word;

    /// <summary>A path's name in the table: a block device is named there by its number.</summary>
    private static string NameInTable(MultipathWords table, string word)
    {
        string device = DeviceWord(word);
        if (table.Paths.Contains(device))
        {
            return device;
        }

        string? real = File.Exists(device) ? File.ResolveLinkTarget(device, returnFinalTarget: true)?.FullName : null;
        string number = $"/sys/class/block/{Path.GetFileName(real ?? device)}/dev";
        return File.Exists(number) ? File.ReadAllText(number).Trim() : device;
    }
}
