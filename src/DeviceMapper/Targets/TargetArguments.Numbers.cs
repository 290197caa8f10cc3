namespace DeviceMapper.Targets;

/// <content>Numbers as <c>dm_read_arg</c> and <c>dm_read_arg_group</c> read them.</content>
public sealed partial class TargetArguments
{
    /// <summary>
    /// Reads a number as the kernel's <c>dm_read_arg</c>: <see cref="KernelNumber.TryScan(ReadOnlySpan{char}, out uint)"/>.
    /// </summary>
    /// <param name="index">Which argument.</param>
    /// <param name="name">What it means, for the sentence.</param>
    /// <param name="expected">What was expected: <c>a number of seconds</c>.</param>
    /// <param name="least">The least that is allowed.</param>
    /// <param name="most">The most that is allowed.</param>
    public uint Number32(int index, string name, string expected, uint least = 0, uint most = uint.MaxValue)
    {
        if (index >= Count)
        {
            throw Refuse($"argument {index + 1} ({name}) is missing: {expected}");
        }

        return KernelNumber.TryScan(_words[index], out uint value) && value >= least && value <= most ? value : throw Refuse(index, name, $"is not {expected}");
    }

    /// <summary>Reads how many words of a group follow (the kernel's <c>dm_read_arg_group</c>): no more than there are.</summary>
    public uint GroupCount(int index, uint most, string name)
    {
        uint count = Number32(index, name, $"a number from 0 to {most}", most: most);
        return count <= Count - index - 1 ? count : throw Refuse(index, name, $"is more than the {Count - index - 1} words that follow");
    }
}
