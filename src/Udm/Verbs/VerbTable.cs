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
}
