using DeviceMapper;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using Udm.Verbs;

namespace Udm.Apply;

/// <summary>Carries out the steps of a plan: all, or, where one fails, none: those that were done are undone, the last first.</summary>
internal sealed class Transaction
{
    private readonly VerbContext _context;
    private readonly DeviceClient _devices;
    private readonly Dictionary<CurrentDevice, string> _names = []; // of devices that were renamed
    private readonly Stack<(string What, Action Undo)> _undo = new();

    private Transaction(VerbContext context)
    {
        _context = context;
        _devices = context.Devices;
    }

    /// <summary>Carries them out.</summary>
    /// <exception cref="DmException">What a step was refused with; all is as it was before.</exception>
    public static void Run(VerbContext context, IReadOnlyList<Step> steps)
    {
        Transaction transaction = new(context);
        try
        {
            transaction.MakeWayForNames(steps);
            foreach (Step step in steps.Where(step => step.Action is not (StepAction.Remove or StepAction.SetUuid)))
            {
                context.Device = step.Name;
                transaction.Do(step);
            }

            transaction.Remove([.. steps.Where(step => step.Action == StepAction.Remove)]);
            foreach (Step step in steps.Where(step => step.Action == StepAction.SetUuid)) // the last, since no ioctl takes a uuid away
            {
                context.Device = step.Name;
                transaction.Do(step);
            }

            context.Device = "";
        }
        catch (Exception problem) when (problem is DmException or VerbException)
        {
            transaction.UndoAll();
            throw;
        }
    }

    /// <summary>A name that a device is to get may be that of another one, which gets a third name for the time.</summary>
    private void MakeWayForNames(IReadOnlyList<Step> steps)
    {
        HashSet<string> wanted = [.. steps.Where(s => s.Action is StepAction.Create or StepAction.Rename).Select(s => s.Wanted!.Name)];
        foreach (Step step in steps.Where(s => s.Action is StepAction.Rename or StepAction.Remove && wanted.Contains(s.Name)))
        {
            _context.Device = step.Name;
            Rename(step.Device!, $"{step.Name}.apply-{step.Device!.Info.Number.Minor}");
        }
    }

    private void Do(Step step)
    {
        switch (step.Action)
        {
            case StepAction.Rename:
                Rename(step.Device!, step.Wanted!.Name);
                break;
            case StepAction.Create:
                Create(step);
                break;
            case StepAction.Reload:
                Reload(step);
                break;
            case StepAction.SetUuid:
                DeviceSelector device = DeviceSelector.ByName(NameOf(step.Device!), _context.Mangling);
                _devices.Rename(device, NameMangling.ToDaemon(step.Wanted!.Uuid, "uuid", DmIoctl.MaxUuidLength, _context.Mangling), DmFlags.Uuid);
                break;
        }
    }

    private void Rename(CurrentDevice device, string name)
    {
        string before = NameOf(device);
        Rename(before, name);
        _names[device] = name;
        _undo.Push(($"rename {name} to {before}", () => Rename(name, before)));
    }

    private void Rename(string before, string after) => // which the ioctl takes by its name alone
        _devices.Rename(DeviceSelector.ByName(before, _context.Mangling), RenameVerb.NewName(after, _context.Mangling), DmFlags.None);

    private string NameOf(CurrentDevice device) => _names.GetValueOrDefault(device, device.Info.Name);

    private void Create(Step step)
    {
        ConciseDevice wanted = step.Wanted!;
        string? uuid = wanted.Uuid.Length == 0 ? null : NameMangling.ToDaemon(wanted.Uuid, "uuid", DmIoctl.MaxUuidLength, _context.Mangling);
        DeviceInfo made = _devices.Create(CreateVerb.Selector(wanted.Name, _context.Mangling), uuid, wanted.Minor, 0);
        DeviceSelector device = DeviceSelector.ByNumber(made.Number);
        _undo.Push(($"remove {wanted.Name}", () => _devices.Remove(device, DmFlags.None)));
        if (step.Table.Count > 0)
        {
            _devices.Load(device, step.Table, Mode(wanted.ReadOnly));
            _devices.Resume(device, DmFlags.None);
        }
    }

    private void Reload(Step step)
    {
        CurrentDevice there = step.Device!;
        DeviceSelector device = there.Selector;
        _devices.Load(device, step.Table, Mode(step.Wanted!.ReadOnly));
        _undo.Push(($"clear {step.Name}", () => _devices.Clear(device, DmFlags.None)));
        try
        {
            _devices.Resume(device, DmFlags.None);
        }
        catch (DmException) when (!there.Info.IsSuspended && there.Info.HasLiveTable)
        {
            _devices.Resume(device, DmFlags.None); // a refused swap leaves it suspended, with the table that it had
            throw;
        }

        _undo.Push(($"reload {step.Name}", () => Restore(there)));
    }

    private void Restore(CurrentDevice there)
    {
        if (there.Table.Count == 0)
        {
            _context.Warn($"{there.Info.Name} had no table, and keeps its new one"); // no ioctl takes a live table away
            return;
        }

        _devices.Load(there.Selector, there.Table, Mode(there.Info.IsReadOnly));
        _devices.Resume(there.Selector, DmFlags.None);
        if (there.Info.IsSuspended)
        {
            _devices.Suspend(there.Selector, DmFlags.None);
        }
    }

    /// <summary>Removes devices, each after those that stand on it.</summary>
    private void Remove(List<Step> steps)
    {
        while (steps.Count > 0)
        {
            Step step = steps.Find(s => _devices.Find(s.Device!.Selector, DmFlags.None)?.OpenCount == 0) ?? steps[0];
            steps.Remove(step);
            _context.Device = step.Name;
            CurrentDevice there = step.Device!;
            _devices.Remove(there.Selector, DmFlags.None);
            _undo.Push(($"create {step.Name}", () => MakeAgain(there)));
        }
    }

    private void MakeAgain(CurrentDevice there)
    {
        DeviceInfo made = _devices.Create(
            new DeviceSelector(there.Info.Name, Name: there.Info.DaemonName), there.Info.DaemonUuid.Length == 0 ? null : there.Info.DaemonUuid, there.Info.Number.Minor, there.Info.Number.Major);
        if (there.Table.Count > 0)
        {
            _devices.Load(DeviceSelector.ByNumber(made.Number), there.Table, Mode(there.Info.IsReadOnly));
            _devices.Resume(DeviceSelector.ByNumber(made.Number), DmFlags.None);
        }
    }

    private void UndoAll()
    {
        while (_undo.TryPop(out (string What, Action Undo) step))
        {
            try
            {
                step.Undo();
            }
            catch (DmException refusal)
            {
                _context.Warn($"'{step.What}', to undo what was done, fails: {refusal.Message} ({refusal.Errno.Text()})");
            }
        }
    }

    private static DmFlags Mode(bool readOnly) => readOnly ? DmFlags.ReadOnly : DmFlags.None;
}
