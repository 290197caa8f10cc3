using System.Text;
using DeviceMapper.Backends;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Fault;

/// <summary>The options of a fault target's table line.</summary>
/// <param name="Seed">What all that is random depends on.</param>
/// <param name="Cache">The size of the volatile cache; zero without one.</param>
/// <param name="Atomic">Bytes that a power cut keeps or loses as a whole.</param>
/// <param name="HangInFlight">At a power cut, I/O in flight is not answered until the power is on again.</param>
internal sealed record FaultOptions(ulong Seed = 0, SectorCount Cache = default, int Atomic = Sector.Size, bool HangInFlight = false)
{
    /// <summary>Reads an option.</summary>
    /// <returns>The options with it; null where it is none, or has no such value.</returns>
    public FaultOptions? With(string word)
    {
        string[] pair = word.Split('=', 2);
        return pair.Length != 2 ? null : pair[0] switch
        {
            "seed" when KernelNumber.TryScan(pair[1], out ulong seed) => this with { Seed = seed },
            "cache" when ByteSize.TryParse(pair[1], out SectorCount size) => this with { Cache = size },
            "atomic" when pair[1] is "512" or "4096" => this with { Atomic = int.Parse(pair[1]) },
            "inflight" when pair[1] is "eio" or "hang" => this with { HangInFlight = pair[1] == "hang" },
            _ => null,
        };
    }

    /// <summary>Appends those that are not as they would be without a word, each after a blank.</summary>
    public void AppendTo(StringBuilder text)
    {
        text.Append(Seed == 0 ? "" : $" seed={Seed}");
        text.Append(Cache == SectorCount.Zero ? "" : $" cache={ByteSize.Format(Cache)}");
        text.Append(Atomic == Sector.Size ? "" : $" atomic={Atomic}");
        text.Append(HangInFlight ? " inflight=hang" : "");
    }
}
