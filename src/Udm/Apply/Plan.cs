using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using Udm.Daemon;
using Udm.Verbs;

namespace Udm.Apply;

/// <summary>What is to be done so that the daemon's devices are those of a file.</summary>
/// <remarks>
/// A device of the file is the daemon's device of its uuid, else that of its name. Tables are compared as the daemon prints them: paths
/// of devices by their numbers, and the arguments as their target gives them back.
/// </remarks>
internal sealed class Plan
{
    private readonly VerbContext _context;
    private readonly List<CurrentDevice> _current;
    private readonly Dictionary<ConciseDevice, CurrentDevice> _matches = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, DeviceNumber> _numbers = []; // of devices that are there, by the names that they will have

    private Plan(VerbContext context)
    {
        _context = context;
        _current = [.. context.Devices.List().Select(Read)];
    }

    /// <summary>Makes the plan; changes nothing.</summary>
    /// <param name="context">The verb's surroundings.</param>
    /// <param name="wanted">The devices of the file.</param>
    /// <param name="prunes">Whether devices that are not in the file are removed.</param>
    /// <returns>The steps, in their order.</returns>
    /// <exception cref="VerbException">A device cannot become what the file says.</exception>
    public static IReadOnlyList<Step> Make(VerbContext context, IReadOnlyList<FileDevice> wanted, bool prunes) =>
        new Plan(context).Steps([.. StackingOrder.Of(wanted).Select(device => device.Device)], prunes);

    private List<Step> Steps(List<ConciseDevice> wanted, bool prunes)
    {
        foreach (ConciseDevice device in wanted)
        {
            Match(device);
        }

        List<Step> steps = [];
        steps.AddRange(_matches.Where(m => m.Value.Info.Name != m.Key.Name).Select(m => Step(StepAction.Rename, m.Value, m.Key)));
        foreach (ConciseDevice device in wanted)
        {
            _context.Device = device.Name;
            IReadOnlyList<TableLine> table = TableInput.Parse(device.Table);
            if (!_matches.TryGetValue(device, out CurrentDevice? there))
            {
                steps.Add(new Step(StepAction.Create, device.Name) { Wanted = device, Table = table });
            }
            else if (table.Count > 0 && (there.Info.IsReadOnly != device.ReadOnly || !IsSame(there, device, table)))
            {
                steps.Add(there.Info.HasInactiveTable
                    ? throw new VerbException("it has an inactive table, which would be lost: resume or clear it first")
                    : Step(StepAction.Reload, there, device) with { Table = table });
            }
        }

        steps.AddRange(prunes ? _current.Except(_matches.Values).Select(device => Step(StepAction.Remove, device, null)) : []);
        steps.AddRange(_matches.Where(m => m.Value.Info.Uuid.Length == 0 && m.Key.Uuid.Length > 0).Select(m => Step(StepAction.SetUuid, m.Value, m.Key)));
        CheckNames(steps, prunes);
        _context.Device = "";
        return steps;
    }

    private static Step Step(StepAction action, CurrentDevice device, ConciseDevice? wanted) => new(action, device.Info.Name) { Device = device, Wanted = wanted };

    private CurrentDevice Read(NamedDevice device)
    {
        (DeviceInfo info, IReadOnlyList<TargetText> targets) = _context.Devices.Targets(DeviceSelector.ByNumber(device.Number), DmFlags.StatusTable);
        return new CurrentDevice(info, [.. targets.Select(t => new TableLine(t.Start, t.Length, t.Type, t.Text))]);
    }

    private void Match(ConciseDevice device)
    {
        _context.Device = device.Name;
        CurrentDevice? there = device.Uuid.Length > 0 ? _current.Find(c => c.Info.Uuid == device.Uuid) : null;
        there ??= _current.Find(c => c.Info.Name == device.Name && (c.Info.Uuid.Length == 0 || device.Uuid.Length == 0 || c.Info.Uuid == device.Uuid));
        if (there is null)
        {
            return;
        }

        if (device.Minor is { } minor && minor != there.Info.Number.Minor)
        {
            throw new VerbException($"it has the number {there.Info.Number}, and cannot get the minor {minor}: remove it first");
        }

        if (!_matches.TryAdd(device, there) || _matches.Values.Count(c => c == there) > 1)
        {
            throw new VerbException($"'{there.Info.Name}' is meant by two devices of the file");
        }

        _numbers[device.Name] = there.Info.Number;
    }

    /// <summary>A device that stays as it is may not have a name that another one is to get.</summary>
    private void CheckNames(List<Step> steps, bool prunes)
    {
        HashSet<string> kept = prunes ? [] : [.. _current.Except(_matches.Values).Select(c => c.Info.Name)];
        if (steps.Find(s => s.Action is StepAction.Create or StepAction.Rename && kept.Contains(s.Wanted!.Name)) is { } step)
        {
            _context.Device = step.Name;
            throw new VerbException($"the name '{step.Wanted!.Name}' is that of a device with another uuid, which stays without --prune");
        }
    }

    private bool IsSame(CurrentDevice there, ConciseDevice device, IReadOnlyList<TableLine> table)
    {
        IReadOnlyList<TableLine> plain = [.. table.Select(line => line with { Arguments = string.Join(' ', TableParser.SplitWords(line.Arguments).Select(Plain).Select(TableParser.EscapeWord)) })];
        if (plain.SequenceEqual(there.Table))
        {
            return true;
        }

        using DeviceCheck check = new(_context, takesNames: false);
        return check.TextOf(plain, device.ReadOnly)?.SequenceEqual(there.Table) == true;
    }

    /// <summary>A word as tables print it: mapped devices and block devices by their numbers.</summary>
    private string Plain(string word)
    {
        if (!word.StartsWith('/'))
        {
            return word;
        }

        string folder = Path.GetDirectoryName(word) ?? "";
        if ((folder == "/dev/mapper" || folder == _context.Run.Mapper) && NumberOf(Path.GetFileName(word)) is { } number)
        {
            return number.ToString();
        }

        string real = File.ResolveLinkTarget(word, returnFinalTarget: true)?.FullName ?? word;
        string numberFile = $"/sys/class/block/{Path.GetFileName(real)}/dev";
        return real.StartsWith("/dev/", StringComparison.Ordinal) && File.Exists(numberFile) ? File.ReadAllText(numberFile).Trim() : word;
    }

    private DeviceNumber? NumberOf(string name) =>
        _numbers.TryGetValue(name, out DeviceNumber number) ? number : _current.Find(c => c.Info.Name == name)?.Info.Number;
}
