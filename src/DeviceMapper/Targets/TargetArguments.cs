using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets;

/// <summary>
/// A line of a table, for the constructor of its target: reads the arguments, and refuses what does not fit with a
/// sentence that names target, argument, value and what was expected.
/// </summary>
/// <remarks>Arguments are counted from 1 in sentences, from 0 in code.</remarks>
public sealed partial class TargetArguments
{
    private readonly IReadOnlyList<string> _words;
    private readonly CancellationToken _cancellation;

    internal TargetArguments(
        Table table, TargetType type, Sector start, SectorCount length, IReadOnlyList<string> words, CancellationToken cancellation)
    {
        Table = table;
        Type = type;
        Start = start;
        Length = length;
        _words = words;
        _cancellation = cancellation;
    }

    /// <summary>The table that is being built.</summary>
    public Table Table { get; }

    /// <summary>The type of the target.</summary>
    public TargetType Type { get; }

    /// <summary>Where the target starts on the mapped device.</summary>
    public Sector Start { get; }

    /// <summary>How many sectors it maps.</summary>
    public SectorCount Length { get; }

    /// <summary>How many arguments there are.</summary>
    public int Count => _words.Count;

    /// <summary>An argument as it was written.</summary>
    public string this[int index] => _words[index];

    /// <summary>Refuses a wrong number of arguments.</summary>
    public void Expect(int atLeast, int atMost)
    {
        if (Count < atLeast || Count > atMost)
        {
            string expected = atLeast == atMost ? $"{atLeast}" : atMost == int.MaxValue ? $"at least {atLeast}" : $"{atLeast} to {atMost}";
            throw new DmException(
                Errno.EINVAL,
                $"{Type.Name}: {expected} {(expected == "1" ? "argument" : "arguments")} expected ({Type.Grammar}), {Count} given");
        }
    }

    /// <summary>Reads a number as the kernel's <c>sscanf("%llu%c")</c>: <see cref="KernelNumber.TryScan(ReadOnlySpan{char}, out ulong)"/>.</summary>
    /// <param name="index">Which argument.</param>
    /// <param name="name">What it means, for the sentence.</param>
    /// <param name="expected">What was expected: <c>a sector number</c>.</param>
    public ulong Number(int index, string name, string expected) =>
        KernelNumber.TryScan(_words[index], out ulong value) ? value : throw Refuse(index, name, $"is not {expected}");

    /// <summary>Reads a number as the kernel's <c>kstrtouint</c>: <see cref="KernelNumber.TryParse(ReadOnlySpan{char}, out uint)"/>.</summary>
    /// <param name="index">Which argument.</param>
    /// <param name="name">What it means, for the sentence.</param>
    /// <param name="expected">What was expected: <c>a positive number of stripes</c>.</param>
    /// <param name="least">The least number that will do.</param>
    public uint UInt32(int index, string name, string expected, uint least = 0) =>
        KernelNumber.TryParse(_words[index], out uint value) && value >= least ? value : throw Refuse(index, name, $"is not {expected}");

    /// <summary>Reads the address of a sector.</summary>
    public Sector Sector(int index, string name) => new(Number(index, name, "a sector number"));

    /// <summary>
    /// Gets a table device: shared with the mapped device's other table, or opened (which may take seconds).
    /// </summary>
    /// <param name="index">Which argument names it.</param>
    /// <param name="name">What it means, for the sentence.</param>
    /// <param name="mode">How it is opened; the table's own mode unless given.</param>
    public DeviceReference Device(int index, string name = "device", DeviceMode? mode = null)
    {
        try
        {
            return Table.GetDevice(_words[index], mode ?? Table.Mode, _cancellation);
        }
        catch (DmException e)
        {
            throw new DmException(e.Errno, $"{Type.Name}: argument {index + 1} ({name}): {e.Message}", e)
            {
                Argument = new RefusedArgument(index + 1, name, _words[index], IsDevice: true),
            };
        }
    }

    /// <summary>The refusal of an argument: <c>type: argument n (name): 'value' reason</c>.</summary>
    public DmException Refuse(int index, string name, string reason) =>
        new(Errno.EINVAL, $"{Type.Name}: argument {index + 1} ({name}): '{_words[index]}' {reason}")
        {
            Argument = new RefusedArgument(index + 1, name, _words[index], IsDevice: false),
        };

    /// <summary>A refusal that concerns no single argument: <c>type: reason</c>.</summary>
    public DmException Refuse(string reason) => new(Errno.EINVAL, $"{Type.Name}: {reason}");
}
