using System.Diagnostics;
using Udm.Reports;
using Udm.Verbs;

namespace Udm.Tests.Verbs;

public sealed class CompletionTests
{
    // Has a device of the name of the folder that it is given.
    private const string FakeUdm = """
        udm() { case $1 in --run) printf '%s\t(252:0)\n' "$2" ;; --run=*) printf '%s\t(252:0)\n' "${1#--run=}" ;; *) printf 'data\t(252:0)\n' ;; esac; }
        """;

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
    [InlineData("udm info data --run other ", "other")]
    public void Devices_are_those_of_the_daemon_that_is_named(string typed, string offered)
    {
        Assert.Equal(offered + "\n", Bash($$"""
            {{FakeUdm}}
            COMP_WORDS=({{typed.Replace("=", " = ")}}''); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _udm; printf '%s\n' "${COMPREPLY[@]}"

            """));

        Assert.SkipUnless(File.Exists("/usr/bin/zsh") && File.Exists("/usr/bin/fish"), "needs zsh and fish");
        Assert.Equal(offered + "\n", Shell("zsh", ["-f", "-s"], $$"""
            compdef() { }; _files() { }; compadd() { shift; print -l -- $@; }
            {{CompletionScript.Zsh()}}
            {{FakeUdm}}
            words=({{typed}}''); CURRENT=$#words; PREFIX=; _udm

            """));
        Assert.Contains(offered, Shell("fish", ["--no-config"], $$"""
            {{CompletionScript.Fish()}}
            function udm; switch "$argv[1]"; case --run; printf '%s\t(252:0)\n' $argv[2]; case '--run=*'; printf '%s\t(252:0)\n' (string split -- = $argv[1])[2]; case '*'; printf 'data\t(252:0)\n'; end; end
            complete -C '{{typed}}'

            """).Split('\n'));
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

    private static string Bash(string command) => Shell("bash", ["--norc", "-s"], CompletionScript.Bash() + command);

    private static string Shell(string shell, string[] words, string script)
    {
        using Process process = Process.Start(new ProcessStartInfo(shell, words) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        process.StandardInput.Write(script);
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }
}
