using System.Text.Json;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using Udm.Verbs;

namespace Udm.Reports;

/// <summary>Devices as JSON objects; docs/json.md has their keys.</summary>
internal static class DeviceJson
{
    /// <summary>What a device is like.</summary>
    public static void Write(Utf8JsonWriter writer, DeviceInfo device)
    {
        writer.WriteStartObject();
        WriteProperties(writer, device);
        writer.WriteEndObject();
    }

    /// <summary>Name and number.</summary>
    public static void Write(Utf8JsonWriter writer, NamedDevice device)
    {
        writer.WriteStartObject();
        WriteName(writer, device.Name, device.Number);
        writer.WriteEndObject();
    }

    /// <summary>A device with the devices of its table.</summary>
    public static void Write(Utf8JsonWriter writer, DeviceInfo device, IReadOnlyList<ListedDependency> uses, IReadOnlyList<NamedDevice> mapped)
    {
        writer.WriteStartObject();
        WriteName(writer, device.Name, device.Number);
        writer.WriteStartArray("uses");
        foreach (ListedDependency dependency in uses)
        {
            writer.WriteStartObject();
            WriteName(writer, BlockDeviceNames.Of(dependency, mapped, preferMapped: true), dependency.Number);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>A device with the targets of a table.</summary>
    public static void Write(Utf8JsonWriter writer, DeviceInfo device, string textKey, IReadOnlyList<TargetText> targets)
    {
        writer.WriteStartObject();
        WriteName(writer, device.Name, device.Number);
        writer.WriteString("uuid", device.Uuid.Length == 0 ? null : device.Uuid);
        writer.WriteBoolean("read_only", device.IsReadOnly);
        writer.WriteStartArray("targets");
        foreach (TargetText target in targets)
        {
            writer.WriteStartObject();
            writer.WriteNumber("start_sector", target.Start.Value);
            writer.WriteNumber("length_sectors", target.Length.Value);
            writer.WriteString("type", target.Type);
            writer.WriteString(textKey, target.Text);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>The keys <c>name</c>, <c>major</c> and <c>minor</c>.</summary>
    public static void WriteName(Utf8JsonWriter writer, string? name, DeviceMapper.Io.DeviceNumber number)
    {
        writer.WriteString("name", name);
        writer.WriteNumber("major", number.Major);
        writer.WriteNumber("minor", number.Minor);
    }

    /// <summary>The keys of what a device is like.</summary>
    public static void WriteProperties(Utf8JsonWriter writer, DeviceInfo device)
    {
        WriteName(writer, device.Name, device.Number);
        writer.WriteString("uuid", device.Uuid.Length == 0 ? null : device.Uuid);
        writer.WriteBoolean("suspended", device.IsSuspended);
        writer.WriteBoolean("read_only", device.IsReadOnly);
        writer.WriteBoolean("deferred_remove", device.IsDeferredRemove);
        writer.WriteBoolean("live_table", device.HasLiveTable);
        writer.WriteBoolean("inactive_table", device.HasInactiveTable);
        writer.WriteNumber("open_count", device.OpenCount);
        writer.WriteNumber("event_number", device.EventNumber);
        writer.WriteNumber("target_count", device.TargetCount);
        JsonValues.Write(writer, "read_ahead_sectors", device.ReadAhead);
    }
}
