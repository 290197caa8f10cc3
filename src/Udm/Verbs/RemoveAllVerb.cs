using DeviceMapper;
using DeviceMapper.Ioctl;

namespace Udm.Verbs;

/// <summary>Removes all devices.</summary>
internal sealed class RemoveAllVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "remove_all";

    /// <inheritdoc/>
    public override string Usage => "[-f|--force] [--deferred]";

    /// <inheritdoc/>
    public override string Summary => "Removes all devices that nobody has open, those on others first.";

    /// <inheritdoc/>
    public override string Help =>
        """
          -f, --force  replaces the tables of those that are left by ones whose I/O fails, then tries again
          --deferred   devices that are open are removed when they are closed

        Example:
          udm remove_all
        """;

    /// <inheritdoc/>
    public override int MaxOperands => 0;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        DmFlags flags = context.Flags | (context.Options.Has(Option.Deferred) ? DmFlags.DeferredRemove : 0);
        context.Devices.RemoveAll(flags);
        if (!context.Options.Has(Option.Force))
        {
            return 0;
        }

        foreach (NamedDevice device in context.Devices.List())
        {
            try
            {
                ErrorTable.Replace(context, DeviceSelector.ByName(device.Name, context.Mangling));
            }
            catch (DmException refusal)
            {
                context.Warn($"{device.Name}: the table is not replaced by errors: {refusal.Message}");
            }
        }

        context.Devices.RemoveAll(flags);
        int left = context.Devices.List().Count;
        if (left > 0)
        {
            // dmsetup says so too, and succeeds.
            context.Warn($"{left} device(s) are still open, and are left");
        }

        return 0;
    }
}
