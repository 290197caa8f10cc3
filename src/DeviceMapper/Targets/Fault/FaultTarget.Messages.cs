using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Fault;

/// <content>Its messages. Each answers when it is in force.</content>
public sealed partial class FaultTarget
{
    private const string Usage =
        "add NAME FIELD..., remove NAME, clear, enable NAME, disable NAME, mark NAME, release NAME, hits NAME, rules, "
        + "power_cut [inflight=eio|hang], power_on [keep=none|all|prefix|random] [atomic=512|4096], json";

    /// <inheritdoc/>
    public override string? Message(IReadOnlyList<string> words)
    {
        switch (words[0].ToLowerInvariant())
        {
            case "add":
                Replace(_rules.Set(Rule.Parse(words.Skip(1), _options.Seed)));
                return null;
            case "remove":
                Replace(_rules.Remove(NameIn(words)));
                return null;
            case "clear":
                Expect(words, 1);
                foreach (Rule rule in _rules.All)
                {
                    Replace(_rules.Remove(rule.Name));
                }

                return null;
            case "enable":
                _rules.Enable(NameIn(words), enabled: true);
                return null;
            case "disable":
                _rules.Enable(NameIn(words), enabled: false);
                return null;
            case "mark":
                _rules.Mark(NameIn(words));
                return null;
            case "release":
                GoAll(_rules.Find(NameIn(words)).Release());
                return null;
            case "hits":
                return _rules.Find(NameIn(words)).Hits.ToString();
            case "rules":
                Expect(words, 1);
                return string.Concat(_rules.All.Select(r => $"{r} {r.Matches} {r.Hits} {r.Held}\n"));
            case "power_cut":
                CutPower(ReadInFlight(words));
                return null;
            case "power_on":
                (Keep keep, int atomic) = ReadKeep(words);
                return PowerOn(keep, atomic);
            case "json":
                Expect(words, 1);
                return ToJson();
            default:
                throw Refuse(words);
        }
    }

    private void Replace(Rule? rule) => GoAll(rule?.Release() ?? []);

    private bool ReadInFlight(IReadOnlyList<string> words) => words.Count == 1
        ? _options.HangInFlight
        : words.Count == 2 && words[1] is "inflight=eio" or "inflight=hang" ? words[1] == "inflight=hang"
        : throw Refuse(words);

    private (Keep Keep, int Atomic) ReadKeep(IReadOnlyList<string> words)
    {
        (Keep keep, int atomic) = (Keep.None, _options.Atomic);
        foreach (string word in words.Skip(1))
        {
            string[] pair = word.Split('=', 2);
            if (pair is ["keep", var choice])
            {
                keep = PowerLoss.Parse(choice);
            }
            else if (pair is ["atomic", "512" or "4096"])
            {
                atomic = int.Parse(pair[1]);
            }
            else
            {
                throw Refuse(words);
            }
        }

        return (keep, atomic);
    }

    private string ToJson()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteBoolean("power", HasPower);
            json.WriteNumber("dirty_sectors", _cache?.DirtySectors ?? 0);
            json.WriteStartArray("rules");
            foreach (Rule rule in _rules.All)
            {
                json.WriteStartObject();
                json.WriteString("name", rule.Name);
                json.WriteString("rule", rule.ToString());
                json.WriteNumber("matches", rule.Matches);
                json.WriteNumber("hits", rule.Hits);
                json.WriteNumber("held", rule.Held);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WritePropertyName("faults");
            _log.WriteTo(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static string NameIn(IReadOnlyList<string> words) => words.Count == 2 ? words[1] : throw Refuse(words);

    private static void Expect(IReadOnlyList<string> words, int count)
    {
        if (words.Count != count)
        {
            throw Refuse(words);
        }
    }

    private static DmException Refuse(IReadOnlyList<string> words) =>
        new(Errno.EINVAL, $"fault: message: '{string.Join(' ', words)}' is not one of: {Usage}");
}
