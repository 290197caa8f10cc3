using System.Text;
using System.Text.Json;

namespace DeviceMapper.Targets.Multipath;

/// <content>What the status line has no room for, as JSON: the answer to the message <c>show_paths</c>.</content>
public sealed partial class MultipathTarget
{
    private string Report()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            lock (_lock)
            {
                json.WriteStartObject();
                json.WriteBoolean("queue_if_no_path", _queueIfNoPath);
                json.WriteNumber("waiting_for_path", _held.Count);
                json.WriteNumber("waiting_for_doubt", _doubtful.Count);
                json.WriteStartArray("groups");
                Array.ForEach(_groups, group => Write(json, group));
                json.WriteEndArray();
                json.WriteStartArray("in_doubt");
                foreach (Io.DoubtfulRange range in Doubt.Snapshot())
                {
                    json.WriteStartObject();
                    json.WriteString("path", Array.Find(_paths, p => p.Monitor == range.Carrier)?.Name);
                    json.WriteNumber("start", range.Start.Value);
                    json.WriteNumber("sectors", (range.End - range.Start).Value);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private void Write(Utf8JsonWriter json, PriorityGroup group)
    {
        json.WriteStartObject();
        json.WriteNumber("group", group.Number);
        json.WriteString("state", group.IsBypassed ? "disabled" : group == _current ? "active" : "enabled");
        json.WriteString("selector", group.Selector.Name);
        json.WriteStartArray("paths");
        foreach (MultipathPath path in group.Paths)
        {
            json.WriteStartObject();
            json.WriteString("path", path.Name);
            json.WriteString("number", path.Device?.Number.ToString());
            json.WriteString("state", path.IsActive ? "active" : path.Failure == PathFailure.Dead ? "dead" : "failed");
            json.WriteNumber("failures", path.FailCount);
            json.WriteString("since", path.Since);
            json.WriteString("reason", path.Reason);
            json.WriteNumber("in_flight", path.InFlight);
            json.WriteNumber("latency_us", Volatile.Read(ref path.Latency) / 1000);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
