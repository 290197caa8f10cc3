namespace Udm.Verbs;

/// <summary>A verb: the first word after <c>udm</c>.</summary>
internal abstract class Verb
{
    /// <summary>Its word.</summary>
    public abstract string Name { get; }

    /// <summary>How it is used: its operands and the options that concern it, a line for each form.</summary>
    public abstract string Usage { get; }

    /// <summary>What it does, in a sentence.</summary>
    public abstract string Summary { get; }

    /// <summary>What its options do, and an example, for <c>--help</c>.</summary>
    public abstract string Help { get; }

    /// <summary>The least number of operands.</summary>
    public virtual int MinOperands => 0;

    /// <summary>The greatest number of operands.</summary>
    public virtual int MaxOperands => int.MaxValue;

    /// <summary>The options that it takes besides dmsetup's, which any verb takes: so that nobody believes in a <c>--dry-run</c> that none is.</summary>
    public virtual IReadOnlyList<Option> OwnOptions => [];

    /// <summary>The exit status of wrong usage: 1 as dmsetup's, 2 for verbs that dmsetup does not have.</summary>
    public virtual int WrongUsageStatus => 1;

    /// <summary>Whether dmsetup has it.</summary>
    public bool IsOfDmsetup => WrongUsageStatus == 1;

    /// <summary>Whether it knows what --count and --interval mean; others are repeated as a whole, as in dmsetup.</summary>
    public virtual bool RepeatsItself(CommandLine options) => false;

    /// <summary>Does it.</summary>
    /// <returns>The exit status where it did not fail; 0 but for the daemon's.</returns>
    public abstract int Run(VerbContext context);
}
