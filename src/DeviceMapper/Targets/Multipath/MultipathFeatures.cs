using System.Text;

namespace DeviceMapper.Targets.Multipath;

/// <summary>The feature words of a multipath table, and the hardware handler (the kernel's <c>parse_features</c> and <c>parse_hw_handler</c>).</summary>
internal sealed record MultipathFeatures
{
    private const uint MostWords = 16; // the kernel takes 8, to which its own words come
    private const uint MostHandlerWords = 1024;

    private const uint MostSeconds = 1_000_000;
    private const uint DefaultInDoubt = 30; // seconds
    private const string QueueTimeoutWord = "queue_if_no_path_timeout_secs";
    private const string AllowDeadPathsWord = "allow_dead_paths";
    private const string CheckerWord = "checker";
    private const string SharedCacheWord = "shared_cache";
    private const string InDoubtWord = "in_doubt_secs";
    private const string Words = "queue_if_no_path, retain_attached_hw_handler, pg_init_retries N, pg_init_delay_msecs N, queue_mode bio|rq|mq, "
        + $"{QueueTimeoutWord} N, {AllowDeadPathsWord}, {CheckerWord}, {SharedCacheWord}, {InDoubtWord} N";

    /// <summary>I/O without a path waits in place of failing; a message can change that.</summary>
    public bool QueueIfNoPath { get; private set; }

    /// <summary>Kept, and without effect: no backend has a hardware handler. In queue mode <c>bio</c> the kernel sets it by itself.</summary>
    public bool RetainAttachedHandler { get; private set; }

    /// <summary>Kept, and without effect; 0 unless given.</summary>
    public uint PgInitRetries { get; private set; }

    /// <summary>Milliseconds. Kept, and without effect.</summary>
    public uint? PgInitDelay { get; private set; }

    /// <summary>Queue mode <c>bio</c>, not <c>rq</c>. It decides what a noflush suspend does with <c>queue_if_no_path</c>.</summary>
    public bool BioBased { get; private set; }

    /// <summary>Ours: seconds without a path after which I/O fails, as after <c>fail_if_no_path</c>; the kernel has it as a parameter of the module.</summary>
    public uint? QueueTimeout { get; private set; }

    /// <summary>Ours: a path that cannot be opened when the table is loaded starts failed, and is opened later.</summary>
    public bool AllowDeadPaths { get; private set; }

    /// <summary>Ours: a path that failed by an I/O error is read at intervals, and is good again when that works.</summary>
    public bool Checker { get; private set; }

    /// <summary>Ours: all paths lead to one write cache, whatever their backends promise.</summary>
    public bool SharedCache { get; private set; }

    /// <summary>Ours: seconds that a write waits which overlaps one in doubt; then it fails. 0: it does not wait, and data may be lost.</summary>
    public uint InDoubt { get; private set; } = DefaultInDoubt;

    /// <summary>The hardware handler's name. Kept, and without effect.</summary>
    public string? Handler { get; private set; }

    /// <summary>Reads <c>&lt;#features&gt; feature... &lt;#handler words&gt; handler...</c></summary>
    public static MultipathFeatures Parse(ArgumentCursor arguments)
    {
        MultipathFeatures features = new();
        uint count = arguments.Number("number of feature words", 0, MostWords);
        if (count > arguments.Left)
        {
            throw arguments.RefuseLast("number of feature words", $"words are announced, {arguments.Left} follow");
        }

        for (int end = arguments.Left - (int)count; arguments.Left > end;)
        {
            features.ParseFeature(arguments, arguments.Left - end - 1);
        }

        features.RetainAttachedHandler |= features.BioBased;
        ArgumentRange handler = arguments.Group("number of hardware handler words", MostHandlerWords);
        features.Handler = handler.Count > 0 && !features.BioBased ? handler[0] : null;
        return features;
    }

    /// <summary>Appends them as the table line has them, with the present state of queueing.</summary>
    public void Append(StringBuilder text, bool queueIfNoPath)
    {
        int before = text.Length;
        int count = 0;
        Add(queueIfNoPath, "queue_if_no_path ");
        Add(PgInitRetries > 0, $"pg_init_retries {PgInitRetries} ");
        Add(PgInitDelay is not null, $"pg_init_delay_msecs {PgInitDelay} ");
        Add(RetainAttachedHandler, "retain_attached_hw_handler ");
        Add(BioBased, "queue_mode bio ");
        Add(QueueTimeout is not null, $"{QueueTimeoutWord} {QueueTimeout} ");
        Add(AllowDeadPaths, $"{AllowDeadPathsWord} ");
        Add(Checker, $"{CheckerWord} ");
        Add(SharedCache, $"{SharedCacheWord} ");
        Add(InDoubt != DefaultInDoubt, $"{InDoubtWord} {InDoubt} ");
        text.Insert(before, $"{count} ");
        text.Append(Handler is null ? "0 " : $"1 {Handler} ");

        void Add(bool given, string words)
        {
            if (given)
            {
                count += words.AsSpan().Count(' ');
                text.Append(words);
            }
        }
    }

    private void ParseFeature(ArgumentCursor arguments, int following)
    {
        string word = arguments.Word("feature");
        switch (word.ToLowerInvariant())
        {
            case "queue_if_no_path":
                QueueIfNoPath = true;
                break;
            case "retain_attached_hw_handler":
                RetainAttachedHandler = true;
                break;
            case "pg_init_retries" when following > 0:
                PgInitRetries = arguments.Number(word, 1, 50);
                break;
            case "pg_init_delay_msecs" when following > 0:
                PgInitDelay = arguments.Number(word, 0, 60000);
                break;
            case "queue_mode" when following > 0:
                BioBased = ParseQueueMode(arguments);
                break;
            case AllowDeadPathsWord:
                AllowDeadPaths = true;
                break;
            case CheckerWord:
                Checker = true;
                break;
            case SharedCacheWord:
                SharedCache = true;
                break;
            case InDoubtWord when following > 0:
                InDoubt = arguments.Number(word, 0, MostSeconds);
                break;
            case QueueTimeoutWord when following > 0:
                QueueTimeout = arguments.Number(word, 1, MostSeconds);
                break;
            case "pg_init_retries" or "pg_init_delay_msecs" or "queue_mode" or QueueTimeoutWord or InDoubtWord:
                throw arguments.RefuseLast("feature", "is followed by none of the announced words, and needs one");
            default:
                throw arguments.RefuseLast("feature", $"is not one of {Words}");
        }
    }

    private static bool ParseQueueMode(ArgumentCursor arguments) => arguments.Word("queue_mode").ToLowerInvariant() switch
    {
        "bio" => true,
        "rq" or "mq" => false,
        _ => throw arguments.RefuseLast("queue_mode", "is not one of bio, rq, mq"),
    };
}
