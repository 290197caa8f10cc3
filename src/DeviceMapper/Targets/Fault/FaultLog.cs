using System.Text.Json;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Fault;

/// <summary>What was done to which sectors, the latest of it.</summary>
internal sealed class FaultLog
{
    private const int Kept = 1024;

    private readonly Lock _lock = new();
    private readonly Queue<Fault> _faults = new();
    private ulong _count;

    /// <summary>Adds what a rule did, or what a power cut kept or lost.</summary>
    public void Add(string rule, string effect, BioOperation operation, ulong sector, ulong count)
    {
        lock (_lock)
        {
            if (_faults.Count == Kept)
            {
                _faults.Dequeue();
            }

            _faults.Enqueue(new Fault(_count++, rule, effect, operation, sector, count));
        }
    }

    /// <summary>Writes it as an array of objects, oldest first; sectors are counted from the target's first.</summary>
    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        lock (_lock)
        {
            foreach (Fault fault in _faults)
            {
                json.WriteStartObject();
                json.WriteNumber("number", fault.Number);
                json.WriteString("rule", fault.Rule);
                json.WriteString("effect", fault.Effect);
                json.WriteString("operation", fault.Operation.ToString().ToLowerInvariant());
                json.WriteNumber("sector", fault.Sector);
                json.WriteNumber("count", fault.Count);
                json.WriteEndObject();
            }
        }

        json.WriteEndArray();
    }

    private readonly record struct Fault(ulong Number, string Rule, string Effect, BioOperation Operation, ulong Sector, ulong Count);
}
