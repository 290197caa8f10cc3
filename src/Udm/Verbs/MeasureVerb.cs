using DeviceMapper.Ioctl;

namespace Udm.Verbs;

/// <summary>Prints what the kernel would have IMA measure of targets.</summary>
internal sealed class MeasureVerb : StatusVerb
{
    /// <inheritdoc/>
    public override string Name => "measure";

    /// <inheritdoc/>
    public override string Usage => "[--target TYPE] [--inactive] [-v] [--json] [DEVICE...]";

    /// <inheritdoc/>
    public override string Summary => "Prints what the kernel would have IMA measure of each target of a table.";

    /// <inheritdoc/>
    public override string Help =>
        """
          --target TYPE  only targets of the type, and devices that have one
          --inactive     of the inactive table
          -v             prints what the device is like before

        Nothing is measured here; the texts are those that the kernel's integrity subsystem would log: of crypt, integrity,
        linear, multipath, snapshot, striped and verity. The other targets have none, as in the kernel.

        Example:
          udm measure data
        """;

    /// <inheritdoc/>
    protected override DmFlags Kind => DmFlags.ImaMeasurement;

    /// <inheritdoc/>
    protected override string TextKey => "measured";
}
