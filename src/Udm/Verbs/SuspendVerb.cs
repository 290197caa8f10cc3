namespace Udm.Verbs;

/// <summary>Suspends devices.</summary>
internal sealed class SuspendVerb : DeviceVerb
{
    /// <inheritdoc/>
    public override string Name => "suspend";

    /// <inheritdoc/>
    public override string Usage => "[--noflush] [--nolockfs] [-v] DEVICE...";

    /// <inheritdoc/>
    public override string Summary => "Holds new I/O back, and waits until what is under way has ended.";

    /// <inheritdoc/>
    public override string Help =>
        """
          --noflush   does not wait for I/O that targets hold back: it waits too, for the resume
          --nolockfs  accepted for dmsetup's sake: there is no file system to freeze
          -v          prints what the device is like afterwards

        Example:
          udm suspend --noflush data
        """;

    /// <inheritdoc/>
    protected override void RunOn(VerbContext context, DeviceSelector device, bool several) =>
        context.ShowIfVerbose(context.Devices.Suspend(device, context.Flags));
}
