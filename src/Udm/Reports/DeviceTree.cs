using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using Udm.Verbs;

namespace Udm.Reports;

/// <summary>A device in the tree: a mapped device, or one that mapped devices use.</summary>
/// <param name="number">Its number.</param>
internal sealed class DeviceNode(DeviceNumber number)
{
    /// <summary>Its number.</summary>
    public DeviceNumber Number => number;

    /// <summary>What it is like, where it is a mapped device.</summary>
    public DeviceInfo? Info { get; set; }

    /// <summary>The name of a device that is no block device, as table lines name it.</summary>
    public string? TableName { get; set; }

    /// <summary>Its name, where it is a mapped device; else empty.</summary>
    public string Name => Info?.Name ?? "";

    /// <summary>The devices that it uses, in its table's order.</summary>
    public List<DeviceNode> Uses { get; } = [];

    /// <summary>The mapped devices that use it.</summary>
    public List<DeviceNode> UsedBy { get; } = [];
}

/// <summary>All mapped devices and the devices that their live tables use, linked in the order in which libdm finds them.</summary>
internal sealed class DeviceTree
{
    private readonly Dictionary<DeviceNumber, DeviceNode> _nodes = [];
    private readonly HashSet<DeviceNumber> _listed = []; // those that were found without a user
    private readonly DeviceClient _devices;

    /// <summary>Asks for all devices and what they use.</summary>
    public DeviceTree(DeviceClient devices)
    {
        _devices = devices;
        Devices = devices.List();
        foreach (NamedDevice[] some in Devices.Chunk(DeviceClient.DevicesAtOnce))
        {
            devices.AskAhead(DmCommand.TableDeps, [.. some.Select(device => DeviceSelector.ByNumber(device.Number))], DmFlags.None);
            foreach (NamedDevice device in some)
            {
                Add(device.Number, parent: null, tableName: null);
            }
        }

        Tops.RemoveAll(node => node.UsedBy.Count > 0);
    }

    /// <summary>The mapped devices, by name.</summary>
    public IReadOnlyList<NamedDevice> Devices { get; }

    /// <summary>The devices that no mapped device uses.</summary>
    public List<DeviceNode> Tops { get; } = [];

    /// <summary>The devices that use no device.</summary>
    public List<DeviceNode> Bottoms { get; } = [];

    /// <summary>A device of the tree.</summary>
    public DeviceNode Find(DeviceNumber number) => _nodes[number];

    private void Add(DeviceNumber number, DeviceNode? parent, string? tableName)
    {
        IReadOnlyList<ListedDependency> dependencies = [];
        bool isNew = !_nodes.TryGetValue(number, out DeviceNode? node);
        if (node is null)
        {
            node = _nodes[number] = new DeviceNode(number) { TableName = tableName };
            if (number.Major == Devices[0].Number.Major)
            {
                (node.Info, dependencies) = _devices.Dependencies(DeviceSelector.ByNumber(number), DmFlags.None);
            }
        }

        Link(parent, node);
        if (isNew && dependencies.Count == 0)
        {
            Bottoms.Add(node);
        }

        foreach (ListedDependency dependency in dependencies)
        {
            Add(dependency.Number, node, dependency.Name);
        }
    }

    private void Link(DeviceNode? parent, DeviceNode node)
    {
        if (parent is null)
        {
            if (node.UsedBy.Count == 0 && _listed.Add(node.Number))
            {
                Tops.Add(node);
            }
        }
        else if (!parent.Uses.Contains(node))
        {
            parent.Uses.Add(node);
            node.UsedBy.Add(parent);
        }
    }
}
