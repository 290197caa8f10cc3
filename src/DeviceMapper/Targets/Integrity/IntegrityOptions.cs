using System.Globalization;
using System.Numerics;
using System.Text;
using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Integrity;

/// <summary>Mode and options of an integrity target (the kernel's <c>dm_integrity_ctr</c>).</summary>
internal sealed class IntegrityOptions : IDisposable
{
    /// <summary>Sectors of data between runs of tags.</summary>
    public const uint DefaultInterleave = 32768;

    private const int First = 4; // argument: how many options follow
    private const int Most = 18;
    private const ulong MostJournal = 131072; // sectors, unless more is asked for
    private const int JournalFactor = 7; // the journal has a 128th of the device
    private const uint DefaultBuffer = 128; // sectors
    private const int LargestLog2Buffer = 22; // sectors
    private const int DefaultLog2Bit = 15; // sectors
    private const uint Jiffy = 4; // ms, of Debian's kernel: intervals are rounded up to these

    private readonly TargetArguments _arguments;
    private uint _journalSectors;
    private uint _bufferSectors = DefaultBuffer;

    /// <summary>Reads them.</summary>
    public IntegrityOptions(TargetArguments arguments)
    {
        _arguments = arguments;
        Mode = arguments[3] is "J" or "B" or "D" or "R" or "I" ? arguments[3][0] : throw arguments.Refuse(3, "mode", "is not J, B, D, R or I");
        uint count = arguments.GroupCount(First, Most, "number of options");
        try
        {
            for (int i = First + 1; i <= First + count; i++)
            {
                Take(i, arguments[i]);
            }

            InternalHash = HashAlgorithm is null ? null : Create("internal_hash", HashAlgorithm.CreateDigest);
            JournalMac = MacAlgorithm is null ? null : Create("journal_mac", MacAlgorithm.CreateDigest);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>J: with a journal; B: with a bitmap; D: without; R: read-only, and nothing is checked or replayed; I: tags in the device's own metadata.</summary>
    public char Mode { get; }

    /// <summary>Sectors of a block that has one tag, as log2.</summary>
    public int Log2Block { get; private set; }

    /// <summary>Sectors of data between runs of tags, for a device to be formatted.</summary>
    public uint InterleaveSectors { get; private set; } = DefaultInterleave;

    /// <summary>How full the journal may be before it is written back, in percent.</summary>
    public uint Watermark { get; private set; } = 50;

    /// <summary>When the journal is committed at the latest, in ms.</summary>
    public uint CommitTime { get; private set; } = 10000;

    /// <summary>When the bits of mode B are cleared at the earliest, in ms.</summary>
    public uint BitmapFlushInterval { get; private set; } = 10000;

    /// <summary>log2 of the sectors of a bit in mode B, where the table says it.</summary>
    public int Log2SectorsPerBit { get; private set; } = DefaultLog2Bit;

    /// <summary>log2 of the sectors of a buffer of tags, as asked for.</summary>
    public int Log2Buffer => Math.Min(BitOperations.Log2(Math.Max(1, _bufferSectors)), LargestLog2Buffer);

    /// <summary>The value of internal_hash.</summary>
    public IntegrityAlgorithm? HashAlgorithm { get; private set; }

    /// <summary>The value of journal_crypt.</summary>
    public IntegrityAlgorithm? CryptAlgorithm { get; private set; }

    /// <summary>The value of journal_mac.</summary>
    public IntegrityAlgorithm? MacAlgorithm { get; private set; }

    /// <summary>What makes the tags; null where they come from above.</summary>
    public Digest? InternalHash { get; }

    /// <summary>What authenticates the journal.</summary>
    public Digest? JournalMac { get; }

    /// <summary>A device of its own for superblock, journal and tags.</summary>
    public DeviceReference? MetadataDevice { get; private set; }

    /// <summary>Discards are taken; their blocks get a tag that says so.</summary>
    public bool AllowDiscards { get; private set; }

    /// <summary>That tag depends on key and place, so that nobody else can make it.</summary>
    public bool KeyedDiscards { get; private set; }

    /// <summary>Tags are made of what is there, where that has not been done yet.</summary>
    public bool Recalculate { get; private set; }

    /// <summary>Tags are made of what is there, from the start.</summary>
    public bool ResetRecalculate { get; private set; }

    /// <summary>For a device to be formatted: less padding.</summary>
    public bool FixPadding { get; private set; }

    /// <summary>For a device to be formatted: a salt in keyed hashes.</summary>
    public bool FixHmac { get; private set; }

    /// <summary>Recalculates keyed hashes, although an attacker could have the device recalculated with his data.</summary>
    public bool LegacyRecalculate { get; private set; }

    /// <summary>Sectors of the journal of a device to be formatted.</summary>
    /// <param name="deviceSectors">Size of the data's device.</param>
    public uint JournalSectors(ulong deviceSectors) => _journalSectors != 0 ? _journalSectors : (uint)Math.Min(MostJournal, deviceSectors >> JournalFactor);

    /// <summary>Appends mode and options as the kernel does, in its order.</summary>
    public void Append(StringBuilder text, IntegritySuperblock superblock)
    {
        List<string> words = [];
        if (MetadataDevice is not null)
        {
            words.Add($"meta_device:{MetadataDevice.Name}");
        }

        Add(words, Log2Block != 0, $"block_size:{512 << Log2Block}");
        Add(words, superblock.Has(IntegrityFlags.Recalculating), "recalculate");
        Add(words, ResetRecalculate, "reset_recalculate");
        Add(words, AllowDiscards, KeyedDiscards ? "allow_discards_keyed" : "allow_discards");
        words.Add($"journal_sectors:{superblock.InitialSectors - IntegritySuperblock.Sectors}");
        words.Add($"interleave_sectors:{1u << superblock.Log2Interleave}");
        words.Add($"buffer_sectors:{1u << superblock.Log2Buffer}");
        if (Mode == 'J')
        {
            ulong entries = superblock.JournalEntries;
            words.Add($"journal_watermark:{(((entries - superblock.FreeThreshold) * 100) + (entries / 2)) / entries}");
            words.Add($"commit_time:{CommitTime}");
        }

        if (Mode == 'B')
        {
            words.Add($"sectors_per_bit:{1ul << superblock.Log2SectorsPerBit}");
            words.Add($"bitmap_flush_interval:{BitmapFlushInterval}");
        }

        Add(words, superblock.Has(IntegrityFlags.FixedPadding), "fix_padding");
        Add(words, superblock.Has(IntegrityFlags.FixedHmac), "fix_hmac");
        Add(words, LegacyRecalculate, "legacy_recalculate");
        Add(words, HashAlgorithm is not null, $"internal_hash:{HashAlgorithm?.Text}");
        Add(words, CryptAlgorithm is not null, $"journal_crypt:{CryptAlgorithm?.Text}");
        Add(words, MacAlgorithm is not null, $"journal_mac:{MacAlgorithm?.Text}");
        text.Append(CultureInfo.InvariantCulture, $" {Mode} {words.Count} ").AppendJoin(' ', words);
    }

    /// <summary>Adds those that the kernel measures.</summary>
    public void Measure(Measurement measurement, IntegritySuperblock superblock)
    {
        if (MetadataDevice is not null)
        {
            measurement.Add("meta_device", MetadataDevice.Name);
        }

        if (Log2Block != 0)
        {
            measurement.Add("block_size", 512 << Log2Block);
        }

        measurement.Add("recalculate", superblock.Has(IntegrityFlags.Recalculating))
            .Add("allow_discards", AllowDiscards)
            .Add("allow_discards_keyed", KeyedDiscards)
            .Add("fix_padding", superblock.Has(IntegrityFlags.FixedPadding))
            .Add("fix_hmac", superblock.Has(IntegrityFlags.FixedHmac))
            .Add("legacy_recalculate", LegacyRecalculate)
            .Add("journal_sectors", superblock.InitialSectors - IntegritySuperblock.Sectors)
            .Add("interleave_sectors", 1u << superblock.Log2Interleave)
            .Add("buffer_sectors", 1u << superblock.Log2Buffer);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        InternalHash?.Dispose();
        JournalMac?.Dispose();
        HashAlgorithm?.Dispose();
        CryptAlgorithm?.Dispose();
        MacAlgorithm?.Dispose();
    }

    /// <summary>Makes what an option asks for; the sentence of a refusal names the option.</summary>
    public static T Create<T>(string option, Func<T> create)
    {
        try
        {
            return create();
        }
        catch (DmException e)
        {
            throw new DmException(e.Errno, $"integrity: option {option}: {e.Message}", e);
        }
    }

    private static void Add(List<string> words, bool given, string word)
    {
        if (given)
        {
            words.Add(word);
        }
    }

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
        else if (TryNumber(word, "block_size:", out number))
        {
            Log2Block = number is >= 512 and <= 4096 && BitOperations.IsPow2(number)
                ? BitOperations.Log2(number) - Sector.Shift
                : throw _arguments.Refuse(index, "option", "is not 512, 1024, 2048 or 4096 bytes");
        }
        else if (TryText(word, "sectors_per_bit:") is { } bits && KernelNumber.TryScan(bits, out ulong sectors))
        {
            Log2SectorsPerBit = sectors == 0 ? 0 : BitOperations.Log2(sectors);
        }
        else if (TryNumber(word, "bitmap_flush_interval:", out number))
        {
            BitmapFlushInterval = ToJiffies(number);
        }
        else
        {
            TakeName(index, word);
        }
    }

    private void TakeName(int index, string word)
    {
        if (TryText(word, "meta_device:") is { } device)
        {
            if (device.Length == 0)
            {
                throw _arguments.Refuse(index, "option", "names no device");
            }

            MetadataDevice = Create("meta_device", () => _arguments.Table.GetDevice(device, _arguments.Table.Mode, default));
        }
        else if (TryText(word, "internal_hash:") is { } hash)
        {
            HashAlgorithm = Create("internal_hash", () => new IntegrityAlgorithm(hash));
        }
        else if (TryText(word, "journal_crypt:") is { } crypt)
        {
            CryptAlgorithm = Create("journal_crypt", () => new IntegrityAlgorithm(crypt));
        }
        else if (TryText(word, "journal_mac:") is { } mac)
        {
            MacAlgorithm = Create("journal_mac", () => new IntegrityAlgorithm(mac));
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
            case "recalculate":
                Recalculate = true;
                break;
            case "reset_recalculate":
                Recalculate = ResetRecalculate = true;
                break;
            case "allow_discards":
                AllowDiscards = true;
                break;
            case "allow_discards_keyed":
                AllowDiscards = KeyedDiscards = true;
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
                throw _arguments.Refuse(index, "option", "is not an option of integrity");
        }
    }

    private static string? TryText(string word, string option) => word.StartsWith(option, StringComparison.Ordinal) ? word[option.Length..] : null;

    private static bool TryNumber(string word, string option, out uint number)
    {
        number = 0;
        return word.StartsWith(option, StringComparison.Ordinal) && KernelNumber.TryScan(word.AsSpan(option.Length), out number);
    }

    // What the kernel's msecs_to_jiffies and jiffies_to_msecs make of a number, in 32 bits.
    private static uint ToJiffies(uint milliseconds) =>
        unchecked((int)milliseconds < 0 ? (uint.MaxValue - 1) * Jiffy : (uint)((milliseconds + (ulong)(Jiffy - 1)) / Jiffy * Jiffy));
}
