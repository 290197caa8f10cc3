using Udm.Run;

namespace Udm.Verbs;

/// <summary>Runs a program that speaks to the kernel's device mapper on udm's.</summary>
internal sealed class RunVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "run";

    /// <inheritdoc/>
    public override string Usage => "[--run DIR] [--] COMMAND [ARGUMENT...]";

    /// <inheritdoc/>
    public override string Summary => "Runs an unmodified program, as dmsetup, on the daemon's devices.";

    /// <inheritdoc/>
    public override string Help =>
        """
        COMMAND and its children find the daemon's devices where the kernel's would be: /dev/mapper/control with its
        ioctls, /dev/mapper/NAME, /dev/dm-N, /proc/devices. It ends with the command: with its exit status, or by its
        signal. Children that live on are still answered.

          --run DIR    the daemon's folder

        Example:
          udm run dmsetup ls --tree
        """;

    /// <inheritdoc/>
    public override int MinOperands => 1;

    /// <inheritdoc/>
    public override int WrongUsageStatus => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context) => RunCommand.Run(context.Run, context.Operands, context.Error);
}
