using System.Diagnostics;
using Udm.Reports;
using Udm.Verbs;

namespace Udm.Tests.Verbs;

public sealed class CompletionTests
{
    private const string Names = "data\\t(252:0)\\nda ta$x\\t(252:1)\\nNo devices found\\n";

    [Theory]
    [InlineData("rem", "remove\nremove_all\n")]
    [InlineData("create --ta", "--table\n")]
    [InlineData("--run dir create --conc", "--concise\n")]
    [InlineData("info dat", "data\n")]
    [InlineData("info ''", "data\nda\\ ta\\$x\n")]
    [InlineData("--run = dir -u x info --so", "--sort\n")]
    [InlineData("targets ''", "")]
    public void Bash_completes_verbs_options_and_devices(string typed, string offered) =>
        Assert.Equal(offered, Bash($"udm() {{ printf '{Names}'; }}; COMP_WORDS=(udm {typed}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _udm; printf '%s\\n' \"${{COMPREPLY[@]}}\" | sed '/^$/d'"));

    [Theory]
    [InlineData("udm info ", "data")]
    [InlineData("udm --run other info ", "other")]
    [InlineData("udm info --run=other ", "other")]
    public void Bash_and_fish_complete_the_devices_of_the_daemon_that_is_named(string typed, string offered)
    {
        string[] words = typed.Replace("=", " = ").Split(' ');
        if (!typed.Contains("info --run", StringComparison.Ordinal)) // bash looks before the verb alone
        {
            Assert.Equal(offered + "\n", Bash($"udm() {{ if [ $1 = --run ]; then printf '%s\\t(252:0)\\n' \"$2\"; else printf 'data\\t(252:0)\\n'; fi; }}; COMP_WORDS=({string.Join(' ', words)}''); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _udm; printf '%s\\n' \"${{COMPREPLY[@]}}\""));
        }

        Assert.SkipUnless(File.Exists("/usr/bin/fish"), "needs fish");
        string script = CompletionScript.Fish()
            + $"function udm; switch \"$argv[1]\"; case --run; printf '%s\\t(252:0)\\n' $argv[2]; case '--run=*'; printf '%s\\t(252:0)\\n' (string split -- = $argv[1])[2]; case '*'; printf 'data\\t(252:0)\\n'; end; end; complete -C '{typed}'\n";
        using Process fish = Process.Start(new ProcessStartInfo("fish", ["--no-config"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        fish.StandardInput.Write(script);
        fish.StandardInput.Close();
        string output = fish.StandardOutput.ReadToEnd();
        fish.WaitForExit();
        Assert.Contains(offered, output.Split('\n'));
    }

    [Fact]
    public void Every_script_offers_every_verb_and_its_options()
    {
        string[] scripts = [CompletionScript.Bash(), CompletionScript.Zsh(), CompletionScript.Fish()];
        foreach (Verb verb in VerbTable.All)
        {
            Assert.Contains(CompletionScript.OptionsOf(verb), form => form.Option == Option.Help);
            Assert.All(scripts[..2], script => Assert.Contains($"    {verb.Name}) options='", script));
            Assert.Contains($"-n 'not __udm_verb >/dev/null' -a {verb.Name} -d '", scripts[2]);
        }

        Assert.Contains(CompletionScript.OptionsOf(VerbTable.Find("create")!), form => form.Option == Option.Concise);
        Assert.DoesNotContain(CompletionScript.OptionsOf(VerbTable.Find("create")!), form => form.Option == Option.Tree);
    }

    private static string Bash(string command)
    {
        using Process bash = Process.Start(new ProcessStartInfo("bash", ["--norc", "-s"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        bash.StandardInput.Write(CompletionScript.Bash() + command);
        bash.StandardInput.Close();
        string output = bash.StandardOutput.ReadToEnd();
        bash.WaitForExit();
        return output;
    }
}
