namespace Udm.Verbs;

/// <summary>Destroys inactive tables.</summary>
internal sealed class ClearVerb : DeviceVerb
{
    /// <inheritdoc/>
    public override string Name => "clear";

    /// <inheritdoc/>
    public override string Usage => "[-v] DEVICE...";

    /// <inheritdoc/>
    public override string Summary => "Forgets the table that 'load' prepared.";

    /// <inheritdoc/>
    public override string Help =>
        """
          -v  prints what the device is like afterwards

        Example:
          udm clear data
        """;

    /// <inheritdoc/>
    protected override void RunOn(VerbContext context, DeviceSelector device, bool several) =>
        context.ShowIfVerbose(context.Devices.Clear(device, context.Flags));
}
