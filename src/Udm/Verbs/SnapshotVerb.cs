using System.Globalization;
using DeviceMapper;
using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Snapshots of any device, without table lines.</summary>
internal sealed class SnapshotVerb : Verb
{
    private const uint ChunkSectors = 16;
    private static readonly TimeSpan _pollPeriod = TimeSpan.FromMilliseconds(200);

    /// <inheritdoc/>
    public override string Name => "snapshot";

    /// <inheritdoc/>
    public override string Usage =>
        """
        create ORIGIN NAME COW [CHUNK]
        merge NAME
        ls [--json]
        """;

    /// <inheritdoc/>
    public override string Summary => "Makes snapshots of devices, merges them back, and lists them.";

    /// <inheritdoc/>
    public override string Help =>
        """
          create  makes NAME: ORIGIN as it is now. What changes is kept on COW, a device or file of its own. The table of ORIGIN must be
                  'snapshot-origin DEVICE': all writes have to go through it. CHUNK is what is copied at a time, a power of two, 8K unless said
          merge   makes the origin what the snapshot is, while it is in use; the snapshot's device goes. Ends when all is copied; -v shows
                  how far it is. Where it was interrupted, NAME is the origin, and it waits again
          ls      (or list) prints a line a snapshot, separated by tabs: its name, the device that it is of, and how much of COW is in use;
                  an origin that is being merged stands there with how much is left

        Example:
          udm create disk --table '0 2097152 snapshot-origin disk.img'
          udm snapshot create disk before 'file:before.cow?size=256M'
        """;

    /// <inheritdoc/>
    public override int MinOperands => 1;

    /// <inheritdoc/>
    public override int MaxOperands => 5;

    /// <inheritdoc/>
    public override int WrongUsageStatus => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        switch (context.Operands)
        {
            case ["create", string origin, string name, string cow]:
                Create(context, origin, name, cow, new SectorCount(ChunkSectors));
                break;
            case ["create", string origin, string name, string cow, string chunk]:
                Create(context, origin, name, cow, DeviceSetup.Size(chunk));
                break;
            case ["merge", string name]:
                Merge(context, name);
                break;
            case ["ls" or "list"]:
                List(context);
                break;
            default:
                throw new UsageException("one of 'create', 'merge' and 'ls', with its operands, is expected");
        }

        return 0;
    }

    private static void Create(VerbContext context, string originName, string name, string cow, SectorCount chunk)
    {
        DeviceSelector origin = context.Select(originName);
        TargetText target = DeviceSetup.Only(context, origin, "snapshot-origin")
            ?? throw new VerbException("its table is not 'snapshot-origin DEVICE': writes to it would go past its snapshots, so load that table first; of a volume of a thin pool 'udm thin snapshot' makes one");
        string arguments = TablePaths.Resolve($"{target.Text} {TableParser.EscapeWord(cow)} P {chunk.Value}");
        context.Devices.Suspend(origin, DmFlags.None);
        try
        {
            DeviceSetup.Make(context, context.Select(name), new TableLine(default, target.Length, "snapshot", arguments));
        }
        finally
        {
            context.Devices.Resume(origin, DmFlags.None);
        }
    }

    private static void Merge(VerbContext context, string name)
    {
        DeviceSelector snapshot = context.Select(name);
        if (DeviceSetup.Only(context, snapshot, "snapshot-merge") is { } merging)
        {
            FinishMerge(context, snapshot, merging);
            return;
        }

        TargetText target = DeviceSetup.Only(context, snapshot, "snapshot") ?? throw new VerbException("it is no snapshot; 'udm snapshot ls' lists those there are");
        IReadOnlyList<string> words = TableParser.SplitWords(target.Text);
        if (words[2] == "N")
        {
            throw new VerbException("its store is N: only persistent snapshots can be merged, P and PO");
        }

        string state = DeviceSetup.Only(context, snapshot, "snapshot", status: true)?.Text ?? "";
        if (!state.Contains('/'))
        {
            throw new VerbException($"its status is {state}: it does not have all that the origin was, so there is nothing to merge");
        }

        string device = TableParser.EscapeWord(words[0]);
        DeviceSelector origin = FindOrigin(context, device) ?? throw new VerbException($"no device has the table 'snapshot-origin {device}'");
        context.Devices.Load(origin, [new TableLine(default, target.Length, "snapshot-merge", target.Text)], DmFlags.None);
        try
        {
            context.Devices.Suspend(snapshot, DmFlags.None);
            context.Devices.Resume(origin, DmFlags.None);
        }
        catch (DmException)
        {
            context.Devices.Clear(origin, DmFlags.None);
            context.Devices.Resume(snapshot, DmFlags.None);
            context.Devices.Resume(origin, DmFlags.None);
            throw;
        }

        context.Devices.Remove(snapshot, DmFlags.None);
        FinishMerge(context, origin, target);
    }

    private static void FinishMerge(VerbContext context, DeviceSelector origin, TargetText target)
    {
        WaitForMerge(context, origin);
        string device = TableParser.EscapeWord(TableParser.SplitWords(target.Text)[0]);
        DeviceSetup.Replace(context, origin, new TableLine(default, target.Length, "snapshot-origin", device));
    }

    private static void WaitForMerge(VerbContext context, DeviceSelector origin)
    {
        string last = "";
        while (true)
        {
            string text = DeviceSetup.Only(context, origin, "snapshot-merge", status: true)?.Text ?? throw new VerbException("its table was replaced meanwhile");
            string[] words = text.Split(' ', '/');
            if (words.Length != 3)
            {
                throw new VerbException($"the merge ended before its end: {text}");
            }

            if (words[0] == words[2])
            {
                return;
            }

            if (text != last && context.Options.Has(Option.Verbose))
            {
                context.Out.WriteLine($"{words[0]} sectors of the COW device are in use, {words[2]} at the end");
            }

            last = text;
            Thread.Sleep(_pollPeriod);
        }
    }

    private static void List(VerbContext context)
    {
        using JsonList? json = context.PrintsJson ? new JsonList(context.Out, "snapshots") : null;
        IReadOnlyList<NamedDevice> devices = context.Devices.List();
        foreach (NamedDevice device in devices)
        {
            DeviceSelector selector = DeviceSelector.ByName(device.Name, context.Mangling);
            if (DeviceSetup.Only(context, selector, null) is not { Type: "snapshot" or "snapshot-merge" } table)
            {
                continue;
            }

            string origin = TableParser.SplitWords(table.Text)[0];
            origin = DeviceNumber.TryParse(origin, out DeviceNumber number) ? devices.FirstOrDefault(d => d.Number == number).Name ?? origin : origin;
            bool merging = table.Type == "snapshot-merge";
            string status = DeviceSetup.Only(context, selector, table.Type, status: true)?.Text ?? "";
            string[] words = status.Split(' ', '/');
            bool counts = words.Length == 3 && ulong.TryParse(words[0], out _) && ulong.TryParse(words[1], out ulong total) && total > 0;
            if (json is null)
            {
                string used = counts && merging ? $"merging, {ulong.Parse(words[0], CultureInfo.InvariantCulture) - ulong.Parse(words[2], CultureInfo.InvariantCulture)} sectors left"
                    : counts ? $"{100 * ulong.Parse(words[0], CultureInfo.InvariantCulture) / ulong.Parse(words[1], CultureInfo.InvariantCulture)} %" : status;
                context.Out.WriteLine($"{device.Name}\t{origin}\t{used}");
                continue;
            }

            json.Writer.WriteStartObject();
            json.Writer.WriteString("name", device.Name);
            json.Writer.WriteString("origin", origin);
            json.Writer.WriteBoolean("merging", merging);
            json.Writer.WriteString("status", status);
            JsonValues.Write(json.Writer, "used_sectors", counts ? long.Parse(words[0], CultureInfo.InvariantCulture) : null);
            JsonValues.Write(json.Writer, "total_sectors", counts ? long.Parse(words[1], CultureInfo.InvariantCulture) : null);
            JsonValues.Write(json.Writer, "metadata_sectors", counts ? long.Parse(words[2], CultureInfo.InvariantCulture) : null);
            json.Writer.WriteEndObject();
        }
    }

    private static DeviceSelector? FindOrigin(VerbContext context, string device)
    {
        foreach (NamedDevice candidate in context.Devices.List())
        {
            DeviceSelector selector = DeviceSelector.ByName(candidate.Name, context.Mangling);
            if (DeviceSetup.Only(context, selector, "snapshot-origin")?.Text == device)
            {
                return selector;
            }
        }

        return null;
    }
}
