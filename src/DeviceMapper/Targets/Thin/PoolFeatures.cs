using System.Text;

namespace DeviceMapper.Targets.Thin;

/// <summary>The features of a pool's table.</summary>
internal sealed record PoolFeatures
{
    private const int CountArgument = 4;
    private const int MostFeatures = 4; // although there are five words, as in the kernel

    /// <summary>New blocks are zeroed where they are not overwritten whole.</summary>
    public bool ZeroNewBlocks { get; init; } = true;

    /// <summary>Volumes take discards.</summary>
    public bool DiscardEnabled { get; init; } = true;

    /// <summary>Discards of blocks that nobody has any more go to the data device.</summary>
    public bool DiscardPassdown { get; init; } = true;

    /// <summary>Nothing may be changed.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Writes that find no free block fail, and do not wait for one.</summary>
    public bool ErrorIfNoSpace { get; init; }

    /// <summary>Reads the words behind the fourth argument.</summary>
    public static PoolFeatures Parse(TargetArguments arguments)
    {
        PoolFeatures features = new();
        if (arguments.Count == CountArgument)
        {
            return features;
        }

        if (!KernelNumber.TryScan(arguments[CountArgument], out uint count) || count > MostFeatures || count > arguments.Count - CountArgument - 1)
        {
            throw arguments.Refuse(CountArgument, "number of features", $"is not the number of features that follow, at most {MostFeatures}");
        }

        for (int i = CountArgument + 1; i <= CountArgument + count; i++)
        {
            features = arguments[i].ToLowerInvariant() switch
            {
                "skip_block_zeroing" => features with { ZeroNewBlocks = false },
                "ignore_discard" => features with { DiscardEnabled = false },
                "no_discard_passdown" => features with { DiscardPassdown = false },
                "read_only" => features with { ReadOnly = true },
                "error_if_no_space" => features with { ErrorIfNoSpace = true },
                _ => throw arguments.Refuse(
                    i, "feature", "is not skip_block_zeroing, ignore_discard, no_discard_passdown, read_only or error_if_no_space"),
            };
        }

        return features;
    }

    /// <summary>Appends them as a table has them: each word followed by a blank, as the kernel does.</summary>
    public void AppendTable(StringBuilder text)
    {
        List<string> words = [];
        AddUnless(ZeroNewBlocks, "skip_block_zeroing");
        AddUnless(DiscardEnabled, "ignore_discard");
        AddUnless(DiscardPassdown, "no_discard_passdown");
        AddUnless(!ReadOnly, "read_only");
        AddUnless(!ErrorIfNoSpace, "error_if_no_space");
        text.Append($"{words.Count} ");
        foreach (string word in words)
        {
            text.Append(word).Append(' ');
        }

        void AddUnless(bool usual, string word)
        {
            if (!usual)
            {
                words.Add(word);
            }
        }
    }
}
