using System.Globalization;
using DeviceMapper.Ioctl;
using Udm.Verbs;

namespace Udm.Reports;

/// <summary>A row of <c>info -c</c>: a device, and, when a column asks for it, what it uses and what uses it.</summary>
/// <param name="info">What it is like.</param>
/// <param name="devices">The daemon's devices.</param>
/// <param name="tree">The tree of all devices, shared by all rows.</param>
internal sealed class DeviceRow(DeviceInfo info, DeviceClient devices, Lazy<DeviceTree> tree)
{
    private IReadOnlyList<ListedDependency>? _dependencies;

    /// <summary>Whether <c>-S</c> selects it.</summary>
    public bool IsSelected { get; set; } = true;

    /// <summary>What it is like.</summary>
    public DeviceInfo Info => info;

    /// <summary>The daemon's devices.</summary>
    public DeviceClient Devices => devices;

    /// <summary>What its table uses.</summary>
    public IReadOnlyList<ListedDependency> Dependencies => _dependencies ??= devices.Dependencies(DeviceSelector.ByNumber(info.Number), DmFlags.None).Dependencies;

    /// <summary>All mapped devices.</summary>
    public IReadOnlyList<NamedDevice> AllDevices => tree.Value.Devices;

    /// <summary>Its place in the tree.</summary>
    public DeviceNode Node => tree.Value.Find(info.Number);

    /// <summary>Its name's parts, where LVM made it.</summary>
    public LvmName LvmName => Subsystem == "LVM" ? LvmName.Split(info.Name) : default;

    /// <summary>What stands before the first hyphen of its uuid.</summary>
    public string Subsystem => info.Uuid.IndexOf('-') is > 0 and int hyphen ? info.Uuid[..hyphen] : "";
}

/// <summary>The columns of <c>info -c</c>: dmsetup's, but for those of statistics.</summary>
internal static class DeviceColumns
{
    /// <summary>The columns without <c>-o</c>.</summary>
    public const string Default = "name,major,minor,attr,open,segments,events,uuid";

    /// <summary>All columns, in dmsetup's order.</summary>
    public static IReadOnlyList<Column<DeviceRow>> All { get; } =
    [
        Text("name", "name", "Name", 16, row => row.Info.Name, "the name"),
        Text("name", "mangled_name", "MangledName", 16, row => NameMangling.Mangle(row.Info.Name, "name", row.Devices.Mangling), "the name, mangled"),
        Text("name", "unmangled_name", "UnmangledName", 16, row => Unmangled(row.Info.Name, row.Devices.Mangling), "the name, not mangled"),
        Text("name", "uuid", "UUID", 32, row => row.Info.Uuid, "the uuid"),
        Text("name", "mangled_uuid", "MangledUUID", 32, row => NameMangling.Mangle(row.Info.Uuid, "uuid", row.Devices.Mangling), "the uuid, mangled"),
        Text("name", "unmangled_uuid", "UnmangledUUID", 32, row => Unmangled(row.Info.Uuid, row.Devices.Mangling), "the uuid, not mangled"),
        Number("name", "read_ahead", "RAhead", 6, row => row.Info.ReadAhead ?? 0, "read-ahead in sectors"),

        Text("info", "blkdevname", "BlkDevName", 16, row => BlockDeviceNames.OfMapped(row.Info.Number), "the kernel's name of such a device"),
        Text("info", "attr", "Stat", 4, row => Attributes(row.Info), "L live table, I inactive table, s suspended, r read-only or w writable"),
        Text("info", "tables_loaded", "Tables", 6, row => Tables(row.Info), "which tables there are"),
        Text("info", "suspended", "Suspended", 9, row => row.Info.IsSuspended ? "Suspended" : "Active", "whether it is suspended"),
        Text("info", "readonly", "Read-only", 9, row => row.Info.IsReadOnly ? "Read-only" : "Writeable", "whether it is read-only"),
        Text("info", "devno", "DevNo", 5, row => row.Info.Number.ToString(), "major and minor number"),
        Number("info", "major", "Maj", 3, row => row.Info.Number.Major, "major number"),
        Number("info", "minor", "Min", 3, row => row.Info.Number.Minor, "minor number"),
        Number("info", "open", "Open", 4, row => row.Info.OpenCount, "how many have it open"),
        Number("info", "segments", "Targ", 4, row => row.Info.TargetCount, "targets of the live table"),
        Number("info", "events", "Event", 6, row => row.Info.EventNumber, "its count of events"),

        Number("deps", "device_count", "#Devs", 5, row => row.Dependencies.Count, "how many devices it uses"),
        Text("tree", "devs_used", "DevNamesUsed", 16, row => Names(row.Node.Uses), "mapped devices that it uses, by name"),
        Text("deps", "devnos_used", "DevNosUsed", 16, row => string.Join(',', row.Dependencies.Select(device => device.Number)), "devices that it uses, by number"),
        Text("deps", "blkdevs_used", "BlkDevNamesUsed", 16, UsedNames, "devices that it uses, by the kernel's names"),
        Number("tree", "device_ref_count", "#Refs", 5, row => row.Node.UsedBy.Count, "how many mapped devices use it"),
        Text("tree", "names_using_dev", "RefNames", 8, row => Names(row.Node.UsedBy), "mapped devices that use it, by name"),
        Text("tree", "devnos_using_dev", "RefDevNos", 9, row => string.Join(',', row.Node.UsedBy.Select(user => user.Number)), "mapped devices that use it, by number"),

        Text("splitname", "subsystem", "Subsys", 6, row => row.Subsystem, "who made it, by its uuid"),
        Text("splitname", "vg_name", "VG", 4, row => row.LvmName.VolumeGroup ?? "", "LVM: the volume group"),
        Text("splitname", "lv_name", "LV", 4, row => row.LvmName.LogicalVolume ?? "", "LVM: the logical volume"),
        Text("splitname", "lv_layer", "LVLayer", 7, row => row.LvmName.Layer ?? "", "LVM: the layer of the logical volume"),

        Number(Report<DeviceRow>.SpecialGroup, "selected", "Selected", 8, row => row.IsSelected ? 1 : 0, "whether -S selects it; then all rows are shown"),
    ];

    /// <summary>The words of <c>-o</c>: in place of the usual columns, or, after a <c>+</c>, besides them.</summary>
    public static string Wanted(string? fields) => fields is null ? Default : fields.StartsWith('+') ? $"{Default},{fields[1..]}" : fields;

    /// <summary>Reads a selection of rows.</summary>
    /// <exception cref="UsageException">It is malformed.</exception>
    public static Selection<DeviceRow> Select(string text) => Selection<DeviceRow>.Parse(All, text);

    private static Column<DeviceRow> Text(string group, string id, string heading, int width, Func<DeviceRow, string> value, string description) =>
        new(group, id, heading, width, IsNumber: false, value, description);

    private static Column<DeviceRow> Number(string group, string id, string heading, int width, Func<DeviceRow, long> value, string description) =>
        new(group, id, heading, width, IsNumber: true, row => value(row).ToString(CultureInfo.InvariantCulture), description);

    // What libdm answers is unmangled already, unless mangling is off.
    private static string Unmangled(string text, ManglingMode mangling) => mangling == ManglingMode.None ? NameMangling.Unmangle(text) : text;

    private static string Attributes(DeviceInfo info) =>
        $"{(info.HasLiveTable ? 'L' : '-')}{(info.HasInactiveTable ? 'I' : '-')}{(info.IsSuspended ? 's' : '-')}{(info.IsReadOnly ? 'r' : 'w')}";

    private static string Tables(DeviceInfo info) => (info.HasLiveTable, info.HasInactiveTable) switch
    {
        (true, true) => "Both",
        (true, false) => "Live",
        (false, true) => "Inactive",
        _ => "None",
    };

    private static string Names(IEnumerable<DeviceNode> nodes) => string.Join(',', nodes.Select(node => node.Name).Where(name => name.Length > 0));

    private static string UsedNames(DeviceRow row) =>
        string.Join(',', row.Dependencies.Select(device => BlockDeviceNames.Of(device, row.AllDevices, preferMapped: false) ?? device.Number.ToString()));
}
