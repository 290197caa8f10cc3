using DeviceMapper;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using Udm.Daemon;
using Udm.Native;

namespace Udm.Verbs;

/// <summary>Makes devices.</summary>
internal sealed class CreateVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "create";

    /// <inheritdoc/>
    public override string Usage =>
        """
        NAME [-u UUID] [-j MAJOR -m MINOR] [-r|--readonly] [--readahead SECTORS] [-v] [TABLE-FILE]
        NAME [-u UUID] [-j MAJOR -m MINOR] [-r|--readonly] [--readahead SECTORS] [-v] --table TABLE
        NAME [-u UUID] [-j MAJOR -m MINOR] -n|--notable
        --concise [DEVICES]
        --dry-run ...
        """;

    /// <inheritdoc/>
    public override string Summary => "Makes a device with a table, and resumes it.";

    /// <inheritdoc/>
    public override string Help =>
        """
          --table TABLE   the table: a line a target, 'START LENGTH TYPE ARGUMENTS', sectors of 512 bytes;
                          else it is read from the file, else from standard input
          -n, --notable   makes it without a table
          -u, --uuid      gives it a uuid
          -m, --minor     gives it a minor number; the major is always the daemon's
          -r, --readonly  opens the table's devices for reading
          --readahead     what 'info' tells as read-ahead: a number of sectors, +N (at least N), none, or auto (as the
                          table asks for)
          -v              prints what the device is like afterwards
          -U UID, -G GID, -M MODE   who owns the device's file, and its permissions (octal); else the daemon's user, 0600
          --concise       makes many, from one text (else from standard input):
                          'name,uuid,minor,flags,table[,table...][;name...]', flags 'ro', 'rw' or nothing;
                          a backslash takes the next character literally
          --dry-run       makes nothing: says all that would keep it from being made (status 1), or nothing

        Examples:
          udm create data --table '0 2048 linear disk.img 0'
          udm create --concise 'a,,,rw,0 2048 linear disk.img 0;b,,,ro,0 2048 zero'
        """;

    /// <inheritdoc/>
    public override IReadOnlyList<Option> OwnOptions => [Option.DryRun];

    /// <inheritdoc/>
    public override int MaxOperands => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        if (context.Options.Has(Option.Concise))
        {
            CreateConcise(context);
            return 0;
        }

        if (context.Operands.Count == 0)
        {
            throw new UsageException("a name for the new device is expected");
        }

        string? uuid = context.Options.Value(Option.Uuid);
        context.Device = context.Operands[0];
        if (context.Number(Option.Major) == 0)
        {
            throw new UsageException("--major: 0 is no major number; any other is taken for the daemon's");
        }

        DeviceSelector device = Selector(context.Operands[0], context.Mangling);
        if (context.Options.Has(Option.DryRun))
        {
            string table = context.Options.Has(Option.NoTable) ? "" : TableInput.ReadText(context, context.Operands.Count == 2 ? context.Operands[1] : null);
            Try(context, [new ConciseDevice(context.Operands[0], uuid ?? "", context.Number(Option.Minor), context.Options.Has(Option.ReadOnly), table)]);
            return 0;
        }

        IReadOnlyList<TableLine> lines = context.Options.Has(Option.NoTable) ? [] : TableInput.Read(context, context.Operands.Count == 2 ? context.Operands[1] : null);
        DeviceInfo made = Create(context, device, uuid, context.Number(Option.Minor), context.Number(Option.Major) ?? 0, context.Options.Has(Option.ReadOnly), lines);
        GiveTo(context, made);
        context.ShowIfVerbose(made);
        TellWhere(context, made, Path.Combine("/dev/mapper", made.DaemonName));
        return 0;
    }

    /// <summary>Tells people at a terminal where the device is, unless it is where those who know dmsetup look for it.</summary>
    internal static void TellWhere(VerbContext context, DeviceInfo made, string usualPlace)
    {
        string file = Path.Combine(context.Run.Mapper, made.DaemonName);
        if (context.ErrorIsTerminal && made.HasLiveTable && File.Exists(file) && !File.Exists(usualPlace))
        {
            context.Error.WriteLine($"udm: {made.Name} is {file}");
        }
    }

    /// <summary>Gives the device's file to whom <c>-U</c>, <c>-G</c> and <c>-M</c> name, as dmsetup does with its node.</summary>
    private static void GiveTo(VerbContext context, DeviceInfo made)
    {
        uint? user = Number(context, Option.Uid), group = Number(context, Option.Gid);
        string? mode = context.Options.Value(Option.Mode);
        string file = Path.Combine(context.Run.Mapper, made.DaemonName);
        if ((user ?? group) is null && mode is null)
        {
            return;
        }

        try
        {
            if (mode is not null)
            {
                File.SetUnixFileMode(file, (UnixFileMode)Convert.ToInt32(mode, 8));
            }

            Errno error = (user ?? group) is null ? Errno.None : FileCalls.ChangeOwner(file, user, group);
            if (error != Errno.None)
            {
                context.Warn($"'{file}' keeps its owner ({error.Text()})");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            context.Warn($"'{file}' keeps its mode and owner: {e.Message}");
        }
    }

    /// <summary>A number of a user or group. As dmsetup, which takes any word for one (for 0), a device is made whatever is there.</summary>
    private static uint? Number(VerbContext context, Option option)
    {
        string? text = context.Options.Value(option);
        if (uint.TryParse(text, out uint number))
        {
            return number;
        }

        if (text is null)
        {
            return null;
        }

        context.Warn($"--{option.ToString().ToLowerInvariant()}: '{text}' is not a number: the device's file keeps the one that it has");
        return null;
    }

    /// <summary>Makes a device; with a table, all or nothing. As libdm: no targets, no load and no resume.</summary>
    private static DeviceInfo Create(
        VerbContext context, DeviceSelector device, string? uuid, uint? minor, uint major, bool readOnly, IReadOnlyList<TableLine> lines)
    {
        string? mangledUuid = uuid is null ? null : NameMangling.ToDaemon(uuid, "uuid", DmIoctl.MaxUuidLength, context.Mangling);
        DeviceInfo made = context.Devices.Create(device, mangledUuid, minor, major);
        if (lines.Count == 0)
        {
            return made;
        }

        try
        {
            context.Devices.Load(DeviceSelector.ByNumber(made.Number), lines, context.Flags | (readOnly ? DmFlags.ReadOnly : 0));
            return ReadAheadWord.Apply(context, device, context.Devices.Resume(device, context.Flags));
        }
        catch (DmException)
        {
            Revert(context, device);
            throw;
        }
    }

    private static void Revert(VerbContext context, DeviceSelector device)
    {
        try
        {
            context.Devices.Remove(device, DmFlags.None);
        }
        catch (DmException refusal)
        {
            context.Warn($"{device.Shown} is left without a table: {refusal.Message} ({refusal.Errno.Text()})");
        }
    }

    internal static DeviceSelector Selector(string name, ManglingMode mangling) =>
        name.Contains('/') ? throw new VerbException($"the name '{name}' has a slash, which names cannot have") : DeviceSelector.ByName(name, mangling);

    /// <summary>Makes the devices of a concise text.</summary>
    private static void CreateConcise(VerbContext context)
    {
        if (context.Options.Has(Option.Table) || context.Options.Has(Option.NoTable) || context.Options.Has(Option.Minor)
            || context.Options.Has(Option.Uuid) || context.Options.Has(Option.Inactive))
        {
            throw new UsageException("--concise goes with none of --table, --notable, --minor, --uuid and --inactive");
        }

        if (context.Operands.Count > 1)
        {
            throw new UsageException("--concise takes one text; it has blanks and must be quoted");
        }

        IEnumerable<ConciseDevice> devices = ConciseFormat.Parse(context.Operands.Count == 1 ? context.Operands[0] : context.In.ReadToEnd());
        if (context.Options.Has(Option.ReadOnly))
        {
            devices = devices.Select((device, i) => i == 0 ? device with { ReadOnly = true } : WithoutReadOnlyOption(context, device));
        }

        if (context.Options.Has(Option.DryRun))
        {
            Try(context, [.. devices]);
            return;
        }

        CreateAll(context, devices);
    }

    /// <summary>dmsetup's <c>-r</c> is forgotten after the first device.</summary>
    private static ConciseDevice WithoutReadOnlyOption(VerbContext context, ConciseDevice device)
    {
        if (!device.ReadOnly)
        {
            context.Warn($"{device.Name}: -r is for the first device alone; 'ro' among its flags makes this one read-only");
        }

        return device;
    }

    /// <summary>Tells of all that would keep devices from being made, in the words of the refusals.</summary>
    private static void Try(VerbContext context, IReadOnlyList<ConciseDevice> devices)
    {
        using DeviceCheck check = new(context, takesNames: true);
        foreach (FileDevice device in StackingOrder.Of([.. devices.Select(d => new FileDevice(d, null))]))
        {
            context.Device = device.Device.Name;
            foreach (FoundProblem problem in check.Check(device))
            {
                context.Report(problem.Refused(device.Device.Table));
            }
        }
    }

    /// <summary>
    /// Makes devices in their order, but a device that names a later one, as <c>table --concise</c> may print them, waits for that
    /// one. (dmsetup fails there.)
    /// </summary>
    internal static void CreateAll(VerbContext context, IEnumerable<ConciseDevice> devices)
    {
        LinkedList<ConciseDevice> waiting = new();
        VerbException? problem = null;
        try
        {
            foreach (ConciseDevice device in devices)
            {
                waiting.AddLast(device);
            }
        }
        catch (VerbException e)
        {
            problem = e; // as with dmsetup, what stands before it is made
        }

        int postponed = 0;
        while (waiting.First?.Value is { } next)
        {
            waiting.RemoveFirst();
            context.Device = next.Name;
            try
            {
                CreateOne(context, next);
                postponed = 0;
            }
            catch (DmException refusal) when (refusal.Errno is Errno.ENXIO or Errno.ENOENT && postponed < waiting.Count && waiting.Any(later => StackingOrder.Mentions(next, later)))
            {
                waiting.AddLast(next);
                postponed++;
            }
        }

        if (problem is not null)
        {
            context.Device = "";
            throw problem;
        }
    }

    private static void CreateOne(VerbContext context, ConciseDevice device)
    {
        DeviceSelector selector = Selector(device.Name, context.Mangling);
        IReadOnlyList<TableLine> lines = TableInput.Parse(device.Table);
        DeviceInfo made = Create(context, selector, device.Uuid.Length > 0 ? device.Uuid : null, device.Minor, 0, device.ReadOnly, lines);
        GiveTo(context, made);
        context.ShowIfVerbose(made);
    }
}
