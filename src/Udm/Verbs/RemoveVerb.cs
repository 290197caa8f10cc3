using DeviceMapper;
using DeviceMapper.Ioctl;
using DeviceMapper.Native;

namespace Udm.Verbs;

/// <summary>Removes devices.</summary>
internal sealed class RemoveVerb : DeviceVerb
{
    // As libdm: 5 seconds for whoever has the device open for a moment.
    private const int Retries = 24;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    /// <inheritdoc/>
    public override string Name => "remove";

    /// <inheritdoc/>
    public override string Usage => "[-f|--force] [--deferred] [--retry] DEVICE...";

    /// <inheritdoc/>
    public override string Summary => "Removes devices that nobody has open.";

    /// <inheritdoc/>
    public override string Help =>
        """
          -f, --force  first replaces the table by one whose I/O fails, so that who has it open gives up
          --deferred   a device that is open is removed when it is closed
          --retry      tries for 5 seconds while the device is open

        Example:
          udm remove --deferred data
        """;

    /// <inheritdoc/>
    protected override bool PrintsDevices => false;

    /// <inheritdoc/>
    protected override void RunOn(VerbContext context, DeviceSelector device, bool several)
    {
        // Of devices that are selected by option dmsetup does not replace the table.
        if (context.Options.Has(Option.Force) && (context.Operands.Count > 0 || context.Options.Has(Option.Select)))
        {
            try
            {
                ErrorTable.Replace(context, device);
            }
            catch (DmException refusal) when (refusal.Errno != Errno.ENXIO)
            {
                context.Warn($"{device.Shown}: the table is not replaced by errors: {refusal.Message}");
            }
            catch (DmException)
            {
                // There is no such device: the removal says so.
            }
        }

        DmFlags flags = context.Flags | (context.Options.Has(Option.Deferred) ? DmFlags.DeferredRemove : 0);
        int retries = context.Options.Has(Option.Retry) ? Retries : 0;
        while (true)
        {
            try
            {
                context.Devices.Remove(device, flags);
                return;
            }
            catch (DmException refusal) when (refusal.Errno == Errno.EBUSY && retries-- > 0)
            {
                Thread.Sleep(RetryDelay);
            }
        }
    }
}
