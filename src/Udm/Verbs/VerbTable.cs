namespace Udm.Verbs;

/// <summary>All verbs.</summary>
internal static class VerbTable
{
    /// <summary>All verbs, in the order in which help lists them. Made anew each time: a verb may keep what one run needs.</summary>
    public static Verb[] All =>
    [
        new CreateVerb(),
        new LoadVerb("load"),
        new LoadVerb("reload"),
        new ResumeVerb(),
        new SuspendVerb(),
        new ClearVerb(),
        new RemoveVerb(),
        new RemoveAllVerb(),
        new WipeTableVerb(),
        new RenameVerb(),
        new MessageVerb(),
        new CheckVerb(),
        new ApplyVerb(),
        new LsVerb(),
        new InfoVerb(),
        new DepsVerb(),
        new TableVerb(),
        new StatusVerb(),
        new MeasureVerb(),
        new WaitVerb(),
        new WatchVerb(),
        new StatsVerb(),
        new MultipathVerb(),
        new SetGeometryVerb(),
        new LuksVerb(),
        new VerityVerb(),
        new IntegrityVerb(),
        new SnapshotVerb(),
        new ThinVerb(),
        new MangleVerb(),
        new MakeNodesVerb(),
        new SplitNameVerb(),
        .. UdevVerb.All,
        new TargetsVerb(),
        new TargetVersionVerb(),
        new VersionVerb(),
        new HelpVerb(),
        new CompletionVerb(),
        new ManVerb(),
        new DaemonVerb(),
        new ServeVerb(),
        new RunVerb(),
        new NbdVerb(),
        new BlockVerb(),
        new FaultVerb(),
        new ReplayVerb(),
    ];

    /// <summary>The verb of a name; null if there is none.</summary>
    public static Verb? Find(string name) => Array.Find(All, verb => verb.Name == name);

    /// <summary>The verb that somebody who typed a name may have meant: at most two letters are other ones, and less than half of them. Null without one.</summary>
    public static Verb? Nearest(string typed)
    {
        (Verb verb, int distance) = All.Select(verb => (verb, Distance(verb.Name, typed))).MinBy(pair => pair.Item2);
        return distance <= 2 && distance * 2 < typed.Length ? verb : null;
    }

    /// <summary>How many letters have to be put in, left out or replaced (Levenshtein).</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0]++;
            for (int j = 1; j <= b.Length; j++)
            {
                int replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
