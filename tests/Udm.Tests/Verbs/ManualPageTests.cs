using Udm.Reports;
using Udm.Verbs;

namespace Udm.Tests.Verbs;

public sealed class ManualPageTests
{
    [Fact]
    public void It_says_of_every_verb_what_its_help_says()
    {
        using StringWriter page = new() { NewLine = "\n" };
        ManualPage.Write(page);
        string text = page.ToString().Replace(@"\-", "-").Replace(@"\(aq", "'").Replace(@"\(ga", "`").Replace(@"\(ha", "^").Replace(@"\(ti", "~").Replace(@"\e", "\\");
        foreach (Verb verb in VerbTable.All)
        {
            Assert.Contains($".SS {verb.Name}\n{verb.Summary}\n.PP\n.nf\n  udm {verb.Name}", text);
            Assert.Contains($"\n\n{verb.Help}\n.fi\n", text);
        }

        Assert.Contains(HelpVerb.OptionsOfAllVerbs, text);
    }
}
