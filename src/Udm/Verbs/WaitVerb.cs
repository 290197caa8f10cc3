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
        uint number = 0;
        if (context.Operands.Count > numberAt && !uint.TryParse(context.Operands[^1].Trim(), out number))
        {
            throw new UsageException($"event number '{context.Operands[^1]}' is not a number");
        }

        context.ShowIfVerbose(context.Devices.Wait(device, number, context.Flags));
        return 0;
    }
}
