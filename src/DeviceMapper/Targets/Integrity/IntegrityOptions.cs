using System.Globalization;
using System.Numerics;
using System.Text;
using DeviceMapper.Cryptography;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Integrity;

/// <summary>Mode and options of an integrity target (the kernel's <c>dm_integrity_ctr</c>).</summary>
internal sealed class IntegrityOptions : IDisposable
{
    /// <summary>Sectors of data between runs of tags.</summary>
    public const uint DefaultInterleave = 32768;

    /// <summary>Sectors of a buffer of tags.</summary>
    public const uint DefaultBuffer = 128;

    private const int First = 4; // argument: how many options follow
    private const int Most = 18;
    private const ulong MostJournal = 131072; // sectors, unless more is asked for
    private const int JournalFactor = 7; // the journal has a 128th of the device

    private readonly TargetArguments _arguments;
    private uint? _journalSectors;
    private uint _bufferSectors = DefaultBuffer;
    private string? _hashText; // internal_hash's value

    /// <summary>Reads them.</summary>
    public IntegrityOptions(TargetArguments arguments)
    {
        _arguments = arguments;
        Mode = arguments[3] is "J" or "B" or "D" or "R" or "I" ? arguments[3][0] : throw arguments.Refuse(3, "mode", "is not J, B, D, R or I");
        if (Mode is 'B' or 'I')
        {
            throw arguments.Refuse(3, "mode", "is one of the kernel's that udm does not have: J, D and R are");
        }

        uint count = (uint)arguments.Number(First, "number of options", "a number of options");
        if (count > Most || count > arguments.Count - First - 1)
        {
            throw arguments.Refuse(First, "number of options", $"is more than {(count > Most ? $"the {Most} that integrity takes" : "there are")}");
        }

        try
        {
            for (int i = First + 1; i <= First + count; i++)
            {
                Take(i, arguments[i]);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>J: with a journal; D: without; R: read-only, and nothing is checked or replayed.</summary>
    public char Mode { get; }

    /// <summary>Sectors of a block that has one tag, as log2.</summary>
    public int Log2Block { get; private set; }

    /// <summary>Sectors of data between runs of tags, for a device to be formatted.</summary>
    public uint InterleaveSectors { get; private set; } = DefaultInterleave;

    /// <summary>How full the journal may be before it is written back, in percent.</summary>
    public uint Watermark { get; private set; } = 50;

    /// <summary>When the journal is committed at the latest, in ms.</summary>
    public uint CommitTime { get; private set; } = 10000;

    /// <summary>What makes the tags; null where they come from above.</summary>
    public Digest? InternalHash { get; private set; }

    /// <summary>A device of its own for superblock, journal and tags.</summary>
    public DeviceReference? MetadataDevice { get; private set; }

    /// <summary>Discards are taken; their blocks get a tag that says so.</summary>
    public bool AllowDiscards { get; private set; }

    /// <summary>For a device to be formatted: less padding.</summary>
    public bool FixPadding { get; private set; }

    /// <summary>For a device to be formatted: a salt in keyed hashes.</summary>
    public bool FixHmac { get; private set; }

    /// <summary>Shown.</summary>
    public bool LegacyRecalculate { get; private set; }

    /// <summary>Sectors of the journal of a device to be formatted.</summary>
    public uint JournalSectors => _journalSectors ?? (uint)Math.Min(MostJournal, DeviceSectors >> JournalFactor);

    /// <summary>Size of the data's device; for <see cref="JournalSectors"/>.</summary>
    public ulong DeviceSectors { get; set; }

    /// <summary>Appends mode and options as the kernel does, in its order.</summary>
    public void Append(StringBuilder text, IntegritySuperblock superblock)
    {
        List<string> words = [];
        if (MetadataDevice is not null)
        {
            words.Add($"meta_device:{MetadataDevice.Name}");
        }

        if (Log2Block != 0)
        {
            words.Add($"block_size:{512 << Log2Block}");
        }

        if (AllowDiscards)
        {
            words.Add("allow_discards");
        }

        words.Add($"journal_sectors:{superblock.InitialSectors - IntegritySuperblock.Sectors}");
        words.Add($"interleave_sectors:{1u << superblock.Log2Interleave}");
        words.Add($"buffer_sectors:{1u << BitOperations.Log2(Math.Max(1, _bufferSectors))}");
        if (Mode == 'J')
        {
            ulong entries = (ulong)superblock.SectionEntries * superblock.JournalSections;
            ulong threshold = ((entries * (100 - Watermark)) + 50) / 100;
            words.Add($"journal_watermark:{(((entries - threshold) * 100) + (entries / 2)) / entries}");
            words.Add($"commit_time:{CommitTime}");
        }

        if ((superblock.Flags & IntegrityFlags.FixedPadding) != 0)
        {
            words.Add("fix_padding");
        }

        if ((superblock.Flags & IntegrityFlags.FixedHmac) != 0)
        {
            words.Add("fix_hmac");
        }

        if (LegacyRecalculate)
        {
            words.Add("legacy_recalculate");
        }

        if (_hashText is not null)
        {
            words.Add($"internal_hash:{_hashText}");
        }

        text.Append(CultureInfo.InvariantCulture, $" {Mode} {words.Count} ").AppendJoin(' ', words);
    }

    /// <inheritdoc/>
    public void Dispose() => InternalHash?.Dispose();

    private void Take(int index, string word)
    {
        if (TryNumber(word, "journal_sectors:", out uint number))
        {
            _journalSectors = Math.Max(1, number);
        }
        else if (TryNumber(word, "interleave_sectors:", out number))
        {
            InterleaveSectors = number;
        }
        else if (TryNumber(word, "buffer_sectors:", out number))
        {
            _bufferSectors = number;
        }
        else if (TryNumber(word, "journal_watermark:", out number) && number <= 100)
        {
            Watermark = number;
        }
        else if (TryNumber(word, "commit_time:", out number))
        {
            CommitTime = number;
        }
        else if (word.StartsWith("meta_device:", StringComparison.Ordinal))
        {
            MetadataDevice = _arguments.Table.GetDevice(word["meta_device:".Length..], _arguments.Table.Mode, default);
        }
        else if (TryNumber(word, "block_size:", out number))
        {
            Log2Block = number is >= 512 and <= 4096 && BitOperations.IsPow2(number)
                ? BitOperations.Log2(number) - Sector.Shift
                : throw _arguments.Refuse(index, "option", "is not 512, 1024, 2048 or 4096 bytes");
        }
        else if (word.StartsWith("internal_hash:", StringComparison.Ordinal))
        {
            _hashText = word["internal_hash:".Length..];
            InternalHash?.Dispose();
            InternalHash = KeyedDigest.Parse(_hashText);
        }
        else
        {
            TakeFlag(index, word);
        }
    }

    private void TakeFlag(int index, string word)
    {
        switch (word)
        {
            case "allow_discards":
                AllowDiscards = true;
                break;
            case "fix_padding":
                FixPadding = true;
                break;
            case "fix_hmac":
                FixHmac = true;
                break;
            case "legacy_recalculate":
                LegacyRecalculate = true;
                break;
            default:
                throw _arguments.Refuse(index, "option", "is not an option of integrity that udm has");
        }
    }

    private static bool TryNumber(string word, string option, out uint number)
    {
        number = 0;
        return word.StartsWith(option, StringComparison.Ordinal) && KernelNumber.TryScan(word.AsSpan(option.Length), out number);
    }
}
