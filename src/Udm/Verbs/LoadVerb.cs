using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;

namespace Udm.Verbs;

/// <summary>Loads a table into a device's inactive slot. <c>reload</c> is the same.</summary>
internal sealed class LoadVerb(string name) : Verb
{
    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override string Usage => "[-r|--readonly] [-v] DEVICE [TABLE-FILE]\n[-r|--readonly] [-v] DEVICE --table TABLE";

    /// <inheritdoc/>
    public override string Summary => "Prepares a table, which the next 'resume' makes the live one. 'load' and 'reload' are the same.";

    /// <inheritdoc/>
    public override string Help =>
        $"""
          --table TABLE   the table: a line a target, 'START LENGTH TYPE ARGUMENTS', sectors of 512 bytes;
                          else it is read from the file, else from standard input
          -r, --readonly  opens its devices for reading
          -v              prints what the device is like afterwards

        Example:
          udm {name} data --table '0 2048 linear disk.img 0'
        """;

    /// <inheritdoc/>
    public override int MaxOperands => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        if (context.Options.Has(Option.NoTable))
        {
            throw new UsageException("--notable is for 'create' alone");
        }

        int fileAt = context.IsSelectedByOption ? 0 : 1;
        if (context.Operands.Count < fileAt)
        {
            throw new UsageException("no device is named");
        }

        if (context.Operands.Count > fileAt + 1)
        {
            throw new UsageException("too many operands: with -u or -j only a table's file is expected");
        }

        DeviceSelector device = context.Select(fileAt == 0 ? null : context.Operands[0]);
        IReadOnlyList<TableLine> lines = TableInput.Read(context, context.Operands.Count > fileAt ? context.Operands[fileAt] : null);
        DmFlags mode = context.Options.Has(Option.ReadOnly) ? DmFlags.ReadOnly : 0;
        context.ShowIfVerbose(context.Devices.Load(device, lines, context.Flags | mode));
        return 0;
    }
}
