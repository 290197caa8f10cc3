using DeviceMapper;
using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using DeviceMapper.Native;
using Udm.Daemon;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>What a verb works with: its options and operands, the daemon, and the three standard streams.</summary>
internal sealed class VerbContext
{
    private const string NumberedNode = "/dev/dm-";

    private readonly IControl _control;
    private DeviceClient? _devices;

    /// <summary>Makes a context.</summary>
    /// <param name="options">The command line.</param>
    /// <param name="control">The daemon; not called before a verb needs it.</param>
    public VerbContext(CommandLine options, IControl control)
    {
        Options = options;
        _control = control;
        Run = RunFolder.Find(options.Value(Option.Run));
        ManglingMode? asked = NameMangling.TryParse(options.Value(Option.MangleName), out ManglingMode mode) ? mode : null;
        AskedMangling = asked;
        _ = NameMangling.TryParse(Environment.GetEnvironmentVariable("DM_DEFAULT_NAME_MANGLING_MODE") ?? "auto", out ManglingMode byDefault);
        Mangling = asked ?? byDefault;
    }

    /// <summary>The options.</summary>
    public CommandLine Options { get; }

    /// <summary>The words after the verb that are no options.</summary>
    public IReadOnlyList<string> Operands => Options.Operands;

    /// <summary>The daemon's folder.</summary>
    public RunFolder Run { get; }

    /// <summary>The mangling mode that <c>--manglename</c> asks for, or null.</summary>
    public ManglingMode? AskedMangling { get; }

    /// <summary>How names and uuids are mangled.</summary>
    public ManglingMode Mangling { get; set; }

    /// <summary>Standard output.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Standard error.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Standard input.</summary>
    public required TextReader In { get; init; }

    /// <summary>Whether standard input is a terminal.</summary>
    public bool InputIsTerminal { get; init; }

    /// <summary>Whether standard error is a terminal, which is shown how far long work is.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>How many columns a terminal on standard output has; null if it is none.</summary>
    public int? TerminalWidth => AskTerminalWidth?.Invoke();

    /// <summary>Tells <see cref="TerminalWidth"/>, which changes; null where there is no terminal.</summary>
    public Func<int>? AskTerminalWidth { get; init; }

    /// <summary>The verb's name.</summary>
    public string Verb => Options.Verb ?? "";

    /// <summary>The device that is worked on, as the user named it; empty if none is yet. For errors.</summary>
    public string Device { get; set; } = "";

    /// <summary>Whether something has failed, so that the exit status is 1.</summary>
    public bool Failed { get; private set; }

    /// <summary>The daemon's devices.</summary>
    /// <exception cref="DmException">ENXIO: no daemon answers. As libdm, versions are exchanged first: later refusals are the devices' own.</exception>
    public DeviceClient Devices
    {
        get
        {
            if (_devices is null)
            {
                DeviceClient client = new(_control, Mangling, Warn);
                client.Version();
                _devices = client;
            }

            return _devices;
        }
    }

    /// <summary>The flags that options of dmsetup ask for in most ioctls.</summary>
    public DmFlags Flags =>
        (Options.Has(Option.Inactive) ? DmFlags.QueryInactiveTable : 0)
        | (Options.Has(Option.NoFlush) ? DmFlags.NoFlush : 0)
        | (Options.Has(Option.NoLockFs) ? DmFlags.SkipLockFs : 0);

    /// <summary>Whether a device is selected by <c>-u</c> or <c>-j</c> and <c>-m</c>.</summary>
    public bool IsSelectedByOption => Options.Has(Option.Uuid) || Options.Has(Option.Major);

    /// <summary>The device that an operand names, or, without one, that <c>-u</c> or <c>-j</c> and <c>-m</c> select.</summary>
    /// <exception cref="VerbException">None is named, or the name is impossible.</exception>
    public DeviceSelector Select(string? operand)
    {
        if (operand is not null)
        {
            Device = operand;
            return Numbered(operand) ?? DeviceSelector.Parse(operand, Run.Mapper, Mangling);
        }

        DeviceSelector selected = Options.Value(Option.Uuid) is { } uuid ? DeviceSelector.ByUuid(uuid, Mangling)
            : Options.Has(Option.Major) ? DeviceSelector.ByNumber(new DeviceNumber(Number(Option.Major)!.Value, Number(Option.Minor)!.Value))
            : throw new UsageException("no device is named");
        Device = selected.Shown;
        return selected;
    }

    /// <summary>The device that <c>/dev/dm-MINOR</c> is, which need not exist: programs under <c>udm run</c> and <c>ls -o blkdevname</c> call a device so. Null for other words.</summary>
    private DeviceSelector? Numbered(string word) =>
        word.StartsWith(NumberedNode, StringComparison.Ordinal) && uint.TryParse(word.AsSpan(NumberedNode.Length), out uint minor)
            && Devices.List().FirstOrDefault(device => device.Number.Minor == minor) is { Name: not null } found
            ? new DeviceSelector(word, Name: found.Name)
            : null;

    /// <summary>The value of an option that is a number; null if it was not given.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public uint? Number(Option option)
    {
        string? value = Options.Value(option);
        return value is null ? null
            : uint.TryParse(value, out uint number) ? number
            : throw new UsageException($"{OptionForm.Of(option)}: '{value}' is not a number");
    }

    /// <summary>The value of an option that is a number of 64 bits; null if it was not given.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public ulong? LongNumber(Option option)
    {
        string? value = Options.Value(option);
        return value is null ? null
            : ulong.TryParse(value, out ulong number) ? number
            : throw new UsageException($"{OptionForm.Of(option)}: '{value}' is not a number");
    }

    /// <summary>Whether the verb prints JSON.</summary>
    public bool PrintsJson => Options.Has(Option.Json);

    /// <summary>The JSON document that the verb's devices are added to; null where it prints none, or one for each.</summary>
    public JsonList? Json { get; set; }

    /// <summary>Where <c>-v</c> adds devices with <c>-c</c>; null without it.</summary>
    public Report<DeviceRow>? VerboseRows { get; set; }

    /// <summary>Prints what <c>-v</c> adds to a verb that changes a device, and what <c>--json</c> prints.</summary>
    public void ShowIfVerbose(DeviceInfo device)
    {
        if (PrintsJson)
        {
            using JsonList? alone = Json is null ? new JsonList(Out, "devices") : null;
            DeviceJson.Write((Json ?? alone)!.Writer, device);
        }
        else if (Options.Has(Option.Verbose) && VerboseRows is { } rows)
        {
            rows.Add(new DeviceRow(device, Devices, new Lazy<DeviceTree>(() => new DeviceTree(Devices))));
        }
        else if (Options.Has(Option.Verbose))
        {
            InfoText.Write(Out, device);
        }
    }

    /// <summary>Prints a warning.</summary>
    public void Warn(string sentence) => Error.WriteLine($"udm: warning: {sentence}");

    /// <summary>Prints why the verb, or its work on one device, failed. What was printed before comes out first.</summary>
    public void Report(Exception problem)
    {
        Failed = true;
        Out.Flush();
        string subject = string.Join(' ', new[] { Verb, Device }.Where(word => word.Length > 0));
        string prefix = subject.Length == 0 ? "udm" : $"udm: {subject}";
        Error.WriteLine(problem switch
        {
            DmException refusal when refusal.Message.Length > 0 => $"{prefix}: {refusal.Message} ({refusal.Errno.Text()})",
            DmException refusal => $"{prefix}: refused ({refusal.Errno.Text()})",
            UsageException when Verb.Length > 0 => $"{prefix}: {problem.Message}; see udm {Verb} --help",
            UsageException => $"{prefix}: {problem.Message}; see udm --help",
            _ => $"{prefix}: {problem.Message}",
        });
    }

    /// <summary>The same surroundings with other devices than those of the daemon in the run folder.</summary>
    public VerbContext With(IControl control) => new(Options, control)
    {
        Out = Out,
        Error = Error,
        In = In,
        InputIsTerminal = InputIsTerminal,
        ErrorIsTerminal = ErrorIsTerminal,
        AskTerminalWidth = AskTerminalWidth,
    };

    /// <summary>Notes a failure that has been told already.</summary>
    public void Fail() => Failed = true;
}
