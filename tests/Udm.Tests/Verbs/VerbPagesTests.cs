using Udm.Reports;
using Udm.Verbs;

namespace Udm.Tests.Verbs;

/// <summary>docs/verbs has a page for each verb, which says what its help says: docs/verbs/update writes them.</summary>
public sealed class VerbPagesTests
{
    private static readonly string _docs = Path.Combine(RepositoryTests.Root, "docs");

    public static TheoryData<string> Verbs => [.. VerbTable.All.Select(verb => verb.Name)];

    [Theory, MemberData(nameof(Verbs))]
    public void A_page_begins_with_what_the_help_says(string name)
    {
        using StringWriter expected = new() { NewLine = "\n" };
        VerbPage.Write(expected, VerbTable.Find(name)!);
        Assert.StartsWith(expected.ToString(), File.ReadAllText(Path.Combine(_docs, "verbs", $"{name}.md")));
    }

    [Fact]
    public void Each_page_is_that_of_a_verb_and_in_the_index()
    {
        string index = File.ReadAllText(Path.Combine(_docs, "README.md"));
        Assert.Equal(
            VerbTable.All.Select(verb => verb.Name).Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(Path.Combine(_docs, "verbs"), "*.md").Select(page => Path.GetFileNameWithoutExtension(page)).Order(StringComparer.Ordinal));
        Assert.All(VerbTable.All, verb => Assert.Contains($"[{verb.Name}](verbs/{verb.Name}.md)", index));
        Assert.Contains($"```text\n{HelpVerb.OptionsOfAllVerbs}\n```", index);
    }
}
