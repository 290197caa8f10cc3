using System.Diagnostics;
using System.Text.RegularExpressions;
using Udm.Verbs;

namespace Udm.Tests.Verbs;

/// <summary>What the help of Debian's dmsetup lists, udm knows.</summary>
public sealed partial class DmsetupHelpTests
{
    [Fact]
    public void Its_verbs_are_known()
    {
        string[] verbs = [.. VerbLine().Matches(Help()).Select(match => match.Groups["name"].Value).Distinct()];
        Assert.True(verbs.Length > 30, "the help is not understood");
        Assert.All(verbs, verb => Assert.NotNull(VerbTable.Find(verb)));
    }

    [Fact]
    public void Its_options_are_known_and_take_a_value_where_they_do_there()
    {
        string help = Help();
        string[] options = [.. LongOption().Matches(help).Select(match => match.Groups["name"].Value).Distinct()];
        Assert.True(options.Length > 30, "the help is not understood");
        Assert.All(options, option => Assert.Contains(option, OptionForm.All.Select(form => form.Name)));
        Assert.All(
            OptionWithValue().Matches(help).Select(match => match.Groups["name"].Value),
            option => Assert.True(OptionForm.All.Single(form => form.Name == option).TakesValue, option));
        Assert.All(Letter().Matches(help), match => Assert.Contains(OptionForm.All, form => form.Letters.Contains(match.Groups["letter"].Value, StringComparison.Ordinal)));
    }

    private static string Help()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/dmsetup"), "needs dmsetup");
        using Process dmsetup = Process.Start(new ProcessStartInfo("/usr/sbin/dmsetup", ["help"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> error = dmsetup.StandardError.ReadToEndAsync();
        string output = dmsetup.StandardOutput.ReadToEnd();
        dmsetup.WaitForExit();
        return output + error.Result;
    }

    [GeneratedRegex(@"^\t(?<name>[a-z][a-z_-]*)( |$)", RegexOptions.Multiline)]
    private static partial Regex VerbLine();

    [GeneratedRegex(@"(?<![\w-])--(?<name>[a-z]+)")]
    private static partial Regex LongOption();

    [GeneratedRegex(@"(?<![\w-])--(?<name>[a-z]+) [<{]")]
    private static partial Regex OptionWithValue();

    [GeneratedRegex(@"(?<![\w-])-(?<letter>[a-zA-Z])(?![\w-])")]
    private static partial Regex Letter();
}
