using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Multipath;

/// <summary>Reads the words of a table line one after the other (the kernel's <c>dm_arg_set</c> and <c>dm_read_arg</c>).</summary>
internal sealed class ArgumentCursor(TargetArguments arguments)
{
    private int _next;

    /// <summary>How many words are left.</summary>
    public int Left => arguments.Count - _next;

    /// <summary>Takes a word.</summary>
    /// <param name="name">What it means, for the sentence.</param>
    public string Word(string name)
    {
        if (Left == 0)
        {
            throw Refuse($"argument {_next + 1} ({name}) is missing");
        }

        return arguments[_next++];
    }

    /// <summary>Takes a number; as the kernel reads it, modulo 2^32.</summary>
    public uint Number(string name, uint least, uint most)
    {
        string word = Word(name);
        return KernelNumber.TryScan(word, out uint value) && value >= least && value <= most
            ? value
            : throw RefuseLast(name, $"is not a number from {least} to {most}");
    }

    /// <summary>Takes a number of words, and those.</summary>
    public ArgumentRange Group(string name, uint most)
    {
        uint count = Number(name, 0, most);
        return count <= Left ? Range((int)count) : throw RefuseLast(name, $"words are announced, {Left} follow");
    }

    /// <summary>Takes some words, which are there.</summary>
    public ArgumentRange Range(int count)
    {
        ArgumentRange range = new(arguments, _next, count);
        _next += count;
        return range;
    }

    /// <summary>Takes the word of a device, and gets it.</summary>
    /// <param name="name">What it means, for the sentence.</param>
    /// <param name="mayBeDead">Whether the device need not be there: then it may be null, with the reason.</param>
    public (string Word, DeviceReference? Device, string Reason) Device(string name, bool mayBeDead)
    {
        string word = Word(name);
        try
        {
            return (word, arguments.Device(_next - 1, name), "");
        }
        catch (DmException e) when (mayBeDead && e.Errno is not (Errno.EINVAL or Errno.EINTR or Errno.ENOMEM))
        {
            return (word, null, e.InnerException?.Message ?? e.Message);
        }
    }

    /// <summary>The refusal of the word that was taken last.</summary>
    public DmException RefuseLast(string name, string reason) => arguments.Refuse(_next - 1, name, reason);

    /// <summary>A refusal that concerns no single word.</summary>
    public DmException Refuse(string reason) => arguments.Refuse(reason);
}

/// <summary>Some words of a table line: those of a selector, or of a path.</summary>
internal readonly struct ArgumentRange(TargetArguments arguments, int first, int count)
{
    /// <summary>How many.</summary>
    public int Count => count;

    /// <summary>A word.</summary>
    public string this[int index] => arguments[first + index];

    /// <summary>Reads a number as the kernel does, modulo 2^32.</summary>
    public uint Number(int index, string name, uint most = uint.MaxValue) =>
        KernelNumber.TryScan(this[index], out uint value) && value <= most
            ? value
            : throw Refuse(index, name, most == uint.MaxValue ? "is not a number" : $"is not a number from 0 to {most}");

    /// <summary>Refuses more or fewer words.</summary>
    /// <param name="of">Whose words they are.</param>
    /// <param name="least">At least so many.</param>
    /// <param name="most">At most so many.</param>
    public void Expect(string of, int least, int most)
    {
        if (count < least || count > most)
        {
            throw arguments.Refuse($"{of} takes {(least == most ? $"{most}" : $"{least} to {most}")} arguments, {count} given");
        }
    }

    /// <summary>The refusal of a word.</summary>
    public DmException Refuse(int index, string name, string reason) => arguments.Refuse(first + index, name, reason);
}
