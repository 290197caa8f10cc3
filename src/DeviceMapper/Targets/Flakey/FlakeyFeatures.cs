using System.Text;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Flakey;

/// <summary>What a flakey target does to I/O in its down time: its feature words.</summary>
internal sealed class FlakeyFeatures
{
    private const uint MostWords = 11;
    private const uint WholeProbability = 1_000_000_000;

    // Bits of the kernel's bi_opf (include/linux/blk_types.h), which the table's mask of flags is made of.
    private const uint OpfSync = 1 << 11;
    private const uint OpfIdle = 1 << 15;
    private const uint OpfFua = 1 << 17;
    private const uint OpfReadAhead = 1 << 19;
    private const uint OpfNoWait = 1 << 21;

    private BioOperation _corruptOperation = BioOperation.Read;
    private uint _corruptFlags;

    /// <summary>Reads fail.</summary>
    public bool ErrorReads { get; private set; }

    /// <summary>Writes, flushes and discards succeed without being done.</summary>
    public bool DropWrites { get; private set; }

    /// <summary>Writes, flushes and discards fail.</summary>
    public bool ErrorWrites { get; private set; }

    /// <summary>Which byte of each matching bio is overwritten, from 1; 0 for none.</summary>
    public uint CorruptByte { get; private set; }

    /// <summary>What with.</summary>
    public byte CorruptValue { get; private set; }

    /// <summary>The probability, in billionths, that a byte of a read is overwritten.</summary>
    public uint RandomReadCorrupt { get; private set; }

    /// <summary>The probability, in billionths, that a byte of a write is overwritten.</summary>
    public uint RandomWriteCorrupt { get; private set; }

    /// <summary>Whether any read may be corrupted.</summary>
    public bool CorruptsReads => RandomReadCorrupt != 0 || (CorruptByte != 0 && _corruptOperation == BioOperation.Read);

    /// <summary>Whether any write may be corrupted.</summary>
    public bool CorruptsWrites => RandomWriteCorrupt != 0 || (CorruptByte != 0 && _corruptOperation == BioOperation.Write);

    /// <summary>Reads the count of feature words and the words; no words at all mean that everything fails.</summary>
    public static FlakeyFeatures Parse(TargetArguments arguments, int first)
    {
        FlakeyFeatures features = new();
        if (first < arguments.Count)
        {
            uint count = arguments.GroupCount(first, MostWords, "number of feature words");
            features.ParseWords(arguments, first + 1, (int)count);
            features.CheckCombination(arguments);
        }

        if (!features.ErrorReads && !features.DropWrites && !features.ErrorWrites && !features.CorruptsReads && !features.CorruptsWrites)
        {
            features.ErrorReads = features.ErrorWrites = true;
        }

        return features;
    }

    /// <summary>Whether the fixed byte of this bio, which does <paramref name="operation"/>, is to be overwritten.</summary>
    public bool Corrupts(Bio bio, BioOperation operation) =>
        CorruptByte != 0 && _corruptOperation == operation && (KernelFlags(bio) & _corruptFlags) == _corruptFlags;

    /// <summary>Appends the count of words and the words.</summary>
    public void AppendTo(StringBuilder text)
    {
        List<string> words = [];
        if (ErrorReads)
        {
            words.Add("error_reads");
        }

        if (DropWrites)
        {
            words.Add("drop_writes");
        }
        else if (ErrorWrites)
        {
            words.Add("error_writes");
        }

        if (CorruptByte != 0)
        {
            words.AddRange(["corrupt_bio_byte", $"{CorruptByte}", _corruptOperation == BioOperation.Write ? "w" : "r", $"{CorruptValue}", $"{_corruptFlags}"]);
        }

        if (RandomReadCorrupt != 0)
        {
            words.AddRange(["random_read_corrupt", $"{RandomReadCorrupt}"]);
        }

        if (RandomWriteCorrupt != 0)
        {
            words.AddRange(["random_write_corrupt", $"{RandomWriteCorrupt}"]);
        }

        text.Append(words.Count);
        foreach (string word in words)
        {
            text.Append(' ').Append(word);
        }
    }

    /// <summary>A bio's operation and flags as the kernel's bits. All I/O here is direct, which the kernel marks synchronous.</summary>
    private static uint KernelFlags(Bio bio) =>
        OpfSync
        | (bio.Operation == BioOperation.Write ? 1 | OpfIdle : 0)
        | ((bio.Flags & BioFlags.Fua) != 0 ? OpfFua : 0)
        | ((bio.Flags & BioFlags.ReadAhead) != 0 ? OpfReadAhead : 0)
        | ((bio.Flags & BioFlags.NoWait) != 0 ? OpfNoWait : 0);

    private void ParseWords(TargetArguments arguments, int index, int left)
    {
        while (left > 0)
        {
            int taken = arguments[index].ToLowerInvariant() switch
            {
                "error_reads" => Once(arguments, index, ErrorReads, () => ErrorReads = true),
                "drop_writes" when ErrorWrites => throw arguments.Refuse(index, "feature", "contradicts error_writes"),
                "drop_writes" => Once(arguments, index, DropWrites, () => DropWrites = true),
                "error_writes" when DropWrites => throw arguments.Refuse(index, "feature", "contradicts drop_writes"),
                "error_writes" => Once(arguments, index, ErrorWrites, () => ErrorWrites = true),
                "corrupt_bio_byte" => ParseCorruptByte(arguments, index, left),
                "random_read_corrupt" => ParseProbability(arguments, index, left, p => RandomReadCorrupt = p),
                "random_write_corrupt" => ParseProbability(arguments, index, left, p => RandomWriteCorrupt = p),
                _ => throw arguments.Refuse(
                    index, "feature", "is not error_reads, drop_writes, error_writes, corrupt_bio_byte, random_read_corrupt or random_write_corrupt"),
            };
            index += taken;
            left -= taken;
        }
    }

    private static int Once(TargetArguments arguments, int index, bool already, Action set)
    {
        if (already)
        {
            throw arguments.Refuse(index, "feature", "is there twice");
        }

        set();
        return 1;
    }

    private int ParseCorruptByte(TargetArguments arguments, int index, int left)
    {
        if (left < 5)
        {
            throw arguments.Refuse(index, "feature", "needs four words: which byte, r or w, a value, a mask of flags");
        }

        CorruptByte = arguments.Number32(index + 1, "byte to corrupt", "a number from 1", least: 1);
        _corruptOperation = arguments[index + 2].ToLowerInvariant() switch
        {
            "r" => BioOperation.Read,
            "w" => BioOperation.Write,
            _ => throw arguments.Refuse(index + 2, "direction to corrupt", "is neither r nor w"),
        };
        CorruptValue = (byte)arguments.Number32(index + 3, "value of the corrupted byte", "a number from 0 to 255", most: byte.MaxValue);
        _corruptFlags = arguments.Number32(index + 4, "mask of flags", "a number of 32 bits");
        return 5;
    }

    private static int ParseProbability(TargetArguments arguments, int index, int left, Action<uint> set)
    {
        if (left < 2)
        {
            throw arguments.Refuse(index, "feature", "needs a probability in billionths");
        }

        set(arguments.Number32(index + 1, "probability", "a number of billionths", most: WholeProbability));
        return 2;
    }

    private void CheckCombination(TargetArguments arguments)
    {
        if ((DropWrites || ErrorWrites) && _corruptOperation == BioOperation.Write)
        {
            throw arguments.Refuse($"{(DropWrites ? "drop_writes" : "error_writes")} leaves no writes for corrupt_bio_byte to corrupt");
        }
    }
}
