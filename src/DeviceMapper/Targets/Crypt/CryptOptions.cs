using System.Globalization;
using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Crypt;

/// <summary>The options of a crypt target, after its five arguments (the kernel's <c>crypt_ctr_optional</c>).</summary>
internal sealed class CryptOptions
{
    private const int First = 5; // argument: how many options follow
    private const int Most = 9;
    private const uint LargestTag = 480; // MAX_TAG_SIZE, in bytes

    // Those that only choose the kernel's queues: accepted, and shown in this order.
    private static readonly string[] _queueing = ["same_cpu_crypt", "high_priority", "submit_from_crypt_cpus", "no_read_workqueue", "no_write_workqueue"];
    private readonly bool[] _queueingGiven = new bool[_queueing.Length];

    /// <summary>Reads them.</summary>
    public CryptOptions(TargetArguments arguments)
    {
        if (arguments.Count <= First)
        {
            return;
        }

        uint count = (uint)arguments.Number(First, "number of options", "a number of options");
        if (count > Most || count > arguments.Count - First - 1)
        {
            throw arguments.Refuse(First, "number of options", $"is more than {(count > Most ? $"the {Most} that crypt takes" : "there are")}");
        }

        for (int i = First + 1; i <= First + count; i++)
        {
            Take(arguments, i, arguments[i]);
        }
    }

    /// <summary>Discards are passed on, which shows which sectors are in use.</summary>
    public bool AllowDiscards { get; private set; }

    /// <summary>Bytes that are encrypted with one vector: 512 to 4096.</summary>
    public int SectorSize { get; private set; } = Sector.Size;

    /// <summary>Vectors count sectors of <see cref="SectorSize"/>, not of 512 bytes.</summary>
    public bool LargeIvSectors { get; private set; }

    /// <summary>Bytes of metadata that each sector has on the device below; 0 without.</summary>
    public int TagSize { get; private set; }

    /// <summary>The word after the tag's size: <c>aead</c> or <c>none</c>.</summary>
    public string? Profile { get; private set; }

    /// <summary>Bytes of the key that authenticate; null where the hash's size says it.</summary>
    public int? AuthenticationKeySize { get; private set; }

    /// <summary>Whether the cipher authenticates.</summary>
    public bool IsAuthenticated => string.Equals(Profile, "aead", StringComparison.OrdinalIgnoreCase);

    /// <summary>Appends them as the kernel does, in its order, after a blank; nothing where none was given.</summary>
    public void Append(StringBuilder text)
    {
        StringBuilder words = new();
        int count = 0;
        void Add(bool given, string word)
        {
            if (given)
            {
                words.Append(' ').Append(word);
                count++;
            }
        }

        Add(AllowDiscards, "allow_discards");
        for (int i = 0; i < _queueing.Length; i++)
        {
            Add(_queueingGiven[i], _queueing[i]);
        }

        Add(TagSize != 0, $"integrity:{TagSize}:{Profile}");
        Add(SectorSize != Sector.Size, $"sector_size:{SectorSize}");
        Add(LargeIvSectors, "iv_large_sectors");
        Add(AuthenticationKeySize is not null, $"integrity_key_size:{AuthenticationKeySize}");
        if (count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $" {count}").Append(words);
        }
    }

    /// <summary>Adds those that the kernel measures.</summary>
    public void Measure(Measurement measurement)
    {
        measurement.Add("allow_discards", AllowDiscards);
        for (int i = 0; i < _queueing.Length; i++)
        {
            measurement.Add(_queueing[i], _queueingGiven[i]);
        }

        measurement.Add("iv_large_sectors", LargeIvSectors);
        if (TagSize != 0)
        {
            measurement.Add("integrity_tag_size", TagSize).Add("cipher_auth", Profile!);
        }

        if (SectorSize != Sector.Size)
        {
            measurement.Add("sector_size", SectorSize);
        }
    }

    private void Take(TargetArguments arguments, int index, string word)
    {
        if (Is(word, "allow_discards"))
        {
            AllowDiscards = true;
        }
        else if (Array.FindIndex(_queueing, q => Is(word, q)) is >= 0 and int queueing)
        {
            _queueingGiven[queueing] = true;
        }
        else if (Value(word, "integrity:") is { } integrity && integrity.IndexOf(':', StringComparison.Ordinal) is > 0 and int colon
            && KernelNumber.TryScan(integrity.AsSpan(0, colon), out ulong tag))
        {
            if (tag is 0 or > LargestTag)
            {
                throw arguments.Refuse(index, "option", $"has a tag that is not of 1 to {LargestTag} bytes");
            }

            TagSize = (int)tag;
            Profile = integrity[(colon + 1)..];
            if (!Is(Profile, "aead") && !Is(Profile, "none"))
            {
                throw arguments.Refuse(index, "option", $"has a profile '{Profile}' that is neither aead nor none");
            }
        }
        else if (Value(word, "integrity_key_size:") is { } keySize && KernelNumber.TryScan(keySize, out ulong bytes))
        {
            if ((uint)bytes == 0)
            {
                throw arguments.Refuse(index, "option", "is not a positive number of bytes");
            }

            AuthenticationKeySize = (int)bytes;
        }
        else if (Value(word, "sector_size:") is { } sectorSize && KernelNumber.TryScan(sectorSize, out ulong size))
        {
            SectorSize = (ushort)size;
            if (SectorSize < Sector.Size || SectorSize > 4096 || (SectorSize & (SectorSize - 1)) != 0)
            {
                throw arguments.Refuse(index, "option", "is not 512, 1024, 2048 or 4096 bytes");
            }

            if (arguments.Length.Bytes % (ulong)SectorSize != 0)
            {
                throw arguments.Refuse(index, "option", $"does not divide the target's length of {arguments.Length} sectors of {Sector.Size} bytes");
            }
        }
        else if (Is(word, "iv_large_sectors"))
        {
            LargeIvSectors = true;
        }
        else
        {
            throw arguments.Refuse(index, "option", "is not an option of crypt");
        }
    }

    private static bool Is(string word, string option) => string.Equals(word, option, StringComparison.OrdinalIgnoreCase);

    // The kernel reads these with sscanf, which minds the case.
    private static string? Value(string word, string option) => word.StartsWith(option, StringComparison.Ordinal) ? word[option.Length..] : null;
}
