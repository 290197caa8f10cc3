using System.Text.Json;

namespace Udm.Reports;

/// <summary>A <see cref="DeviceTree"/> as JSON: each device has those that it uses inside, or, inverted, those that use it.</summary>
internal static class TreeJson
{
    private const int MaxDepth = 30; // devices: most who read JSON take 64 levels; also what ends a loop of tables

    /// <summary>Prints it.</summary>
    public static void Write(TextWriter output, DeviceTree tree, bool inverted)
    {
        using JsonList json = new(output, "devices");
        foreach (DeviceNode node in inverted ? tree.Bottoms : tree.Tops)
        {
            Write(json.Writer, node, inverted, 1);
        }
    }

    private static void Write(Utf8JsonWriter writer, DeviceNode node, bool inverted, int depth)
    {
        writer.WriteStartObject();
        if (node.Info is { } info)
        {
            DeviceJson.WriteProperties(writer, info);
        }
        else
        {
            DeviceJson.WriteName(writer, BlockDeviceNames.Of(node), node.Number);
        }

        writer.WriteStartArray(inverted ? "used_by" : "uses");
        if (depth < MaxDepth)
        {
            foreach (DeviceNode next in inverted ? node.UsedBy : node.Uses)
            {
                Write(writer, next, inverted, depth + 1);
            }
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
