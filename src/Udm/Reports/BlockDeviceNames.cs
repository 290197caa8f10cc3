using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using Udm.Verbs;

namespace Udm.Reports;

/// <summary>The kernel's names of block devices; for devices that it does not know, the names that stand in tables.</summary>
internal static class BlockDeviceNames
{
    /// <summary>The name of a mapped device, as the kernel would name it.</summary>
    public static string OfMapped(DeviceNumber number) => $"dm-{number.Minor}";

    /// <summary>The name of a device of the tree; null if it has none.</summary>
    public static string? Of(DeviceNode node) => node.Info is { } info
        ? info.HasDisk ? OfMapped(node.Number) : null
        : OfOther(node.Number, node.TableName);

    /// <summary>The name of a device that a table uses.</summary>
    /// <param name="dependency">The device.</param>
    /// <param name="mapped">The mapped devices.</param>
    /// <param name="preferMapped">Whether a mapped device has its own name rather than the kernel's.</param>
    /// <returns>Null if it has none.</returns>
    public static string? Of(ListedDependency dependency, IReadOnlyList<NamedDevice> mapped, bool preferMapped)
    {
        if (mapped.Count > 0 && mapped[0].Number.Major == dependency.Number.Major) // all have one major
        {
            foreach (NamedDevice device in mapped)
            {
                if (device.Number == dependency.Number)
                {
                    return preferMapped ? device.Name : OfMapped(device.Number);
                }
            }
        }

        return OfOther(dependency.Number, dependency.Name);
    }

    private static string? OfOther(DeviceNumber number, string? tableName)
    {
        if (tableName is not null && !DeviceNumber.TryParse(tableName, out _))
        {
            return tableName;
        }

        FileSystemInfo? device = Directory.ResolveLinkTarget($"/sys/dev/block/{number}", returnFinalTarget: false);
        return device?.Name;
    }
}
