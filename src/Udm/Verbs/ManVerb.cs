using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Prints udm's manual page.</summary>
internal sealed class ManVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "man";

    /// <inheritdoc/>
    public override string Usage => "";

    /// <inheritdoc/>
    public override string Summary => "Prints udm's manual page, for man(1).";

    /// <inheritdoc/>
    public override string Help =>
        """
        The page has what the help of all verbs says. 'udm man | man -l -' shows it; a file udm.1 under man1 in a folder of
        $MANPATH is found by 'man udm'.

        Example:
          udm man > udm.1
        """;

    /// <inheritdoc/>
    public override int MaxOperands => 0;

    /// <inheritdoc/>
    public override int WrongUsageStatus => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        ManualPage.Write(context.Out);
        return 0;
    }
}
