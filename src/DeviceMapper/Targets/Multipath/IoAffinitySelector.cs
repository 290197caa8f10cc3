using System.Globalization;
using System.Numerics;
using System.Text;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Multipath;

/// <summary>
/// A path for each processor: <c>io-affinity</c>, a path's word is a mask of processors in hexadecimal, as the kernel writes them: groups
/// of 32 bits separated by commas (drivers/md/dm-ps-io-affinity.c).
/// </summary>
/// <remarks>
/// Where the path of the submitting thread's processor has failed, or there is none, another one is taken; the kernel looks among those
/// of the same NUMA node first, which is not done here.
/// </remarks>
internal sealed class IoAffinitySelector : PathSelector
{
    private const int GroupBits = 32;

    private readonly List<BigInteger> _masks = [];
    private readonly MultipathPath?[] _byProcessor = new MultipathPath?[Processors];
    private int _misses;

    /// <inheritdoc/>
    public override string Name => "io-affinity";

    /// <inheritdoc/>
    public override int TableWords => 1;

    /// <inheritdoc/>
    public override int StatusWords => 1;

    /// <summary>The processors of the machine, whichever of them this process may use.</summary>
    internal static int Processors { get; } = CountProcessors();

    /// <inheritdoc/>
    public override void Add(MultipathPath path, ArgumentRange words)
    {
        words.Expect("a path of io-affinity", 1, 1);
        BigInteger mask = ParseMask(words);
        _masks.Add(mask);
        bool mapped = false;
        for (int i = 0; i < Processors; i++)
        {
            if (!((mask >> i) & 1).IsZero && _byProcessor[i] is null)
            {
                _byProcessor[i] = path;
                mapped = true;
            }
        }

        if (!mapped)
        {
            throw words.Refuse(0, "processor mask", $"names no processor that has no path yet; this machine has {Processors}");
        }
    }

    /// <inheritdoc/>
    public override void Fail(MultipathPath path)
    {
    }

    /// <inheritdoc/>
    public override void Reinstate(MultipathPath path)
    {
    }

    /// <inheritdoc/>
    public override MultipathPath? Select(SectorCount incoming)
    {
        int processor = Thread.GetCurrentProcessorId();
        MultipathPath? path = (uint)processor < (uint)_byProcessor.Length ? _byProcessor[processor] : null;
        if (path is { IsActive: true })
        {
            return path;
        }

        if (path is null)
        {
            Interlocked.Increment(ref _misses);
        }

        return Array.Find(_byProcessor, p => p is { IsActive: true });
    }

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text, MultipathPath path)
    {
        for (int group = (Processors - 1) / GroupBits; group >= 0; group--)
        {
            int bits = Math.Min(GroupBits, Processors - (group * GroupBits));
            uint value = (uint)((_masks[path.Index] >> (group * GroupBits)) & uint.MaxValue);
            text.Append(value.ToString($"x{(bits + 3) / 4}", CultureInfo.InvariantCulture)).Append(group == 0 ? ' ' : ',');
        }
    }

    /// <summary>I/Os that came from processors without a path; the same for all paths of the group, as in the kernel.</summary>
    public override void AppendStatus(StringBuilder text, MultipathPath path) => text.Append($"{Volatile.Read(ref _misses)} ");

    private static BigInteger ParseMask(ArgumentRange words)
    {
        BigInteger mask = BigInteger.Zero;
        foreach (string group in words[0].Split(','))
        {
            if (!uint.TryParse(group, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint bits))
            {
                throw words.Refuse(0, "processor mask", "is not groups of up to 8 hexadecimal digits, separated by commas");
            }

            mask = (mask << GroupBits) | bits;
        }

        return (mask >> Processors).IsZero ? mask : throw words.Refuse(0, "processor mask", $"has bits beyond this machine's {Processors} processors");
    }

    /// <summary>As many as the kernel could bring up, as it prints masks: the last number of <c>0-3</c>, plus one.</summary>
    private static int CountProcessors()
    {
        const string Possible = "/sys/devices/system/cpu/possible";
        string last = File.Exists(Possible) ? File.ReadAllText(Possible).Trim().Split('-', ',')[^1] : "";
        return int.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number + 1 : Environment.ProcessorCount;
    }
}
