using DeviceMapper.Mapping;
using Udm.Verbs;

namespace Udm.Apply;

/// <summary>What a step of a plan does.</summary>
internal enum StepAction
{
    /// <summary>Gives a device another name.</summary>
    Rename,

    /// <summary>Makes a device.</summary>
    Create,

    /// <summary>Replaces a device's table.</summary>
    Reload,

    /// <summary>Gives a uuid to a device that has none.</summary>
    SetUuid,

    /// <summary>Removes a device.</summary>
    Remove,
}

/// <summary>A device of the daemon.</summary>
/// <param name="Info">What it is like.</param>
/// <param name="Table">Its live table.</param>
internal sealed record CurrentDevice(DeviceInfo Info, IReadOnlyList<TableLine> Table)
{
    /// <summary>By its number, which stays when it is renamed.</summary>
    public DeviceSelector Selector => new(Info.Name, Number: Info.Number);
}

/// <summary>A step of a plan.</summary>
/// <param name="Action">What is done.</param>
/// <param name="Name">The device's name, as it is before the plan, or, of a device that is made, will be.</param>
internal sealed record Step(StepAction Action, string Name)
{
    /// <summary>The device as it is; null where it is made.</summary>
    public CurrentDevice? Device { get; init; }

    /// <summary>The device as it should be; null where it is removed.</summary>
    public ConciseDevice? Wanted { get; init; }

    /// <summary>Its table, where it is made or gets another one.</summary>
    public IReadOnlyList<TableLine> Table { get; init; } = [];

    /// <summary>For people: <c>rename old to new</c>.</summary>
    public override string ToString() => Action switch
    {
        StepAction.Rename => $"rename {Name} to {Wanted!.Name}",
        StepAction.SetUuid => $"give {Name} the uuid {Wanted!.Uuid}",
        _ => $"{Word} {Name}",
    };

    /// <summary>Its word in JSON.</summary>
    public string Word => Action switch
    {
        StepAction.Rename => "rename",
        StepAction.Create => "create",
        StepAction.Reload => "reload",
        StepAction.SetUuid => "setuuid",
        _ => "remove",
    };
}
