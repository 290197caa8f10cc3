namespace Udm.Verbs;

/// <summary>Waits for an event of a device.</summary>
internal sealed class WaitVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "wait";

    /// <inheritdoc/>
    public override string Usage => "[-v] [--json] DEVICE [EVENT-NUMBER]";

    /// <inheritdoc/>
    public override string Summary => "Waits until a device's event number differs from the given one, or from 0.";

    /// <inheritdoc/>
    public override string Help =>
        """
          --noflush  accepted for dmsetup's sake
          -v         prints what the device is like then

        Example:
          udm wait data "$(udm info -c --noheadings -o events data)"
        """;

    /// <inheritdoc/>
    public override int MaxOperands => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        int numberAt = context.IsSelectedByOption ? 0 : 1;
        DeviceSelector device = context.Select(context.IsSelectedByOption ? null : context.Operands.Count > 0 ? context.Operands[0] : throw new UsageException("no device is named"));
        uint number = context.Operands.Count > numberAt ? EventNumber(context.Operands[^1]) : 0;
        context.ShowIfVerbose(context.Devices.Wait(device, number, context.Flags));
        return 0;
    }

    /// <summary>What dmsetup makes of a word by C's <c>atoi</c>: the number that it begins with, as far as 32 bits hold it; 0 where it begins with none.</summary>
    private static uint EventNumber(string word)
    {
        string text = word.TrimStart(' ', '\t', '\n', '\v', '\f', '\r');
        bool negative = text.StartsWith('-');
        Int128 number = 0;
        foreach (char digit in text.Skip(text is ['-' or '+', ..] ? 1 : 0).TakeWhile(char.IsAsciiDigit))
        {
            number = Int128.Min(number * 10 + (digit - '0'), (Int128)long.MaxValue + (negative ? 1 : 0));
        }

        return (uint)(int)(long)(negative ? -number : number);
    }
}
