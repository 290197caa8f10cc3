using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Prints a script that completes udm's command line in a shell.</summary>
internal sealed class CompletionVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "completion";

    /// <inheritdoc/>
    public override string Usage => "bash|zsh|fish";

    /// <inheritdoc/>
    public override string Summary => "Prints a script that completes verbs, options and devices in a shell.";

    /// <inheritdoc/>
    public override string Help =>
        """
          bash   source <(udm completion bash), in ~/.bashrc to keep it
          zsh    source <(udm completion zsh), in ~/.zshrc after compinit
          fish   udm completion fish > ~/.config/fish/completions/udm.fish

        Example:
          udm completion bash
        """;

    /// <inheritdoc/>
    public override int MinOperands => 1;

    /// <inheritdoc/>
    public override int MaxOperands => 1;

    /// <inheritdoc/>
    public override int WrongUsageStatus => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        context.Out.Write(context.Operands[0] switch
        {
            "bash" => CompletionScript.Bash(),
            "zsh" => CompletionScript.Zsh(),
            "fish" => CompletionScript.Fish(),
            var other => throw new UsageException($"'{other}' is none of bash, zsh and fish"),
        });
        return 0;
    }
}
