using DeviceMapper.Native;

namespace DeviceMapper;

/// <summary>
/// A refusal: the errno that the kernel's device mapper would give, and a sentence that says what was wrong.
/// </summary>
/// <remarks>
/// The sentence names the target, the argument, its value and what was expected, and contains no errno's wording:
/// <c>striped: argument 2 (chunk size): '0' is not a positive number of sectors</c>.
/// </remarks>
public sealed class DmException : Exception
{
    /// <summary>Makes a refusal.</summary>
    /// <param name="errno">What the kernel would return.</param>
    /// <param name="sentence">What was wrong, for people.</param>
    /// <param name="inner">What caused it.</param>
    public DmException(Errno errno, string sentence, Exception? inner = null)
        : base(sentence, inner) => Errno = errno;

    /// <summary>What the kernel would return.</summary>
    public Errno Errno { get; }

    /// <summary>The argument of a table line that was refused; null where it was something else.</summary>
    public RefusedArgument? Argument { get; init; }
}

/// <summary>An argument of a table line that was refused, which the sentence names too.</summary>
/// <param name="Number">Which, from 1.</param>
/// <param name="Name">What it means: <c>chunk size</c>.</param>
/// <param name="Value">As it was written.</param>
/// <param name="IsDevice">Whether it is the device that it names which was refused.</param>
public readonly record struct RefusedArgument(int Number, string Name, string Value, bool IsDevice);
