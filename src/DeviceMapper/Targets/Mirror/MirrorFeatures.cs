using System.Text;

namespace DeviceMapper.Targets.Mirror;

/// <summary>The feature words at the end of a mirror's table.</summary>
/// <param name="HandleErrors">User space is told of errors, and writes that failed on a leg wait for a new table.</param>
/// <param name="KeepLog">They do not wait: the mirror goes on with the legs and the log that it has.</param>
internal readonly record struct MirrorFeatures(bool HandleErrors, bool KeepLog)
{
    /// <summary>Whether writes that failed on a leg, or that the log could not mark, are kept until a suspend.</summary>
    public bool HoldsWrites => HandleErrors && !KeepLog;

    /// <summary>Reads the count and the words, where there are any.</summary>
    public static MirrorFeatures Parse(TargetArguments arguments, int index)
    {
        if (index >= arguments.Count)
        {
            return default;
        }

        int count = (int)arguments.GroupCount(index, int.MaxValue, "number of feature words");
        MirrorFeatures features = default;
        for (int i = index + 1; i <= index + count; i++)
        {
            features = arguments[i] switch
            {
                "handle_errors" => features with { HandleErrors = true },
                "keep_log" => features with { KeepLog = true },
                _ => throw arguments.Refuse(i, "feature", "is neither handle_errors nor keep_log"),
            };
        }

        if (features is { KeepLog: true, HandleErrors: false })
        {
            throw arguments.Refuse("the feature keep_log needs handle_errors beside it");
        }

        return index + count + 1 == arguments.Count ? features : throw arguments.Refuse(index + count + 1, "word", "is one too many");
    }

    /// <summary>Appends them as the table has them.</summary>
    public void AppendTo(StringBuilder text)
    {
        if (HandleErrors)
        {
            text.Append(KeepLog ? " 2 handle_errors keep_log" : " 1 handle_errors");
        }
    }
}
