namespace Udm.Verbs;

/// <summary>Resumes devices, with the inactive table where there is one.</summary>
internal sealed class ResumeVerb : DeviceVerb
{
    /// <inheritdoc/>
    public override string Name => "resume";

    /// <inheritdoc/>
    public override string Usage => "[--noflush] [--nolockfs] [--readahead SECTORS] [-v] DEVICE...";

    /// <inheritdoc/>
    public override string Summary => "Makes the table that 'load' prepared the live one, and lets I/O go on.";

    /// <inheritdoc/>
    public override string Help =>
        """
          --noflush   a swap of tables does not wait for I/O that targets hold back: the new table maps it
          --nolockfs  accepted for dmsetup's sake: there is no file system to freeze
          --readahead what 'info' tells as read-ahead: a number of sectors, +N (at least N), none, or auto (a new table's)
          -v          prints what the device is like afterwards

        Example:
          udm load data --table '0 2048 zero' && udm resume data
        """;

    /// <inheritdoc/>
    protected override void RunOn(VerbContext context, DeviceSelector device, bool several) =>
        context.ShowIfVerbose(ReadAheadWord.Apply(context, device, context.Devices.Resume(device, context.Flags)));
}
