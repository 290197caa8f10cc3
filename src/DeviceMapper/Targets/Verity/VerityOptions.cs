using System.Globalization;
using System.Text;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Verity;

/// <summary>What happens when a block is corrupt, or cannot be read.</summary>
internal enum VerityMode
{
    /// <summary>The I/O fails.</summary>
    Fail,

    /// <summary>The data is given out as it is.</summary>
    Ignore,

    /// <summary>The kernel restarts the machine; here the I/O fails, and an event is raised.</summary>
    Restart,

    /// <summary>The kernel panics; here the I/O fails, and an event is raised.</summary>
    Panic,
}

/// <summary>The options of a verity target (the kernel's <c>verity_parse_opt_args</c> and <c>verity_fec_parse_opt_args</c>).</summary>
internal sealed class VerityOptions
{
    private const int First = VerityArguments.Count; // argument: how many words of options follow
    private const int MostWords = 15;
    private const int FewestRoots = 2;
    private const int MostRoots = 24;

    private readonly TargetArguments _arguments;

    /// <summary>Reads them, and opens the device of the error correction.</summary>
    public VerityOptions(TargetArguments arguments, VerityArguments verity)
    {
        _arguments = arguments;
        int end = First + 1 + (int)CountWords(arguments);
        for (int i = First + 1; i < end; i++)
        {
            if (!TakeFlag(i))
            {
                if (i + 1 == end && IsPair(arguments[i]))
                {
                    throw arguments.Refuse(i, "option", "needs a value");
                }

                TakePair(i, verity);
                i++;
            }
        }
    }

    /// <summary>Reads how many words of options there are, which the kernel does before it looks at anything else.</summary>
    public static uint CountWords(TargetArguments arguments) =>
        arguments.Count <= First ? 0 : arguments.GroupCount(First, MostWords, "number of option words");

    /// <summary>What happens on corruption.</summary>
    public VerityMode Mode { get; private set; }

    /// <summary>What happens on errors of the devices.</summary>
    public VerityMode ErrorMode { get; private set; }

    /// <summary>The word for <see cref="Mode"/>; null for that without one.</summary>
    public string? ModeWord => Mode switch
    {
        VerityMode.Ignore => "ignore_corruption",
        VerityMode.Restart => "restart_on_corruption",
        VerityMode.Panic => "panic_on_corruption",
        _ => null,
    };

    /// <summary>The word for <see cref="ErrorMode"/>; null for that without one.</summary>
    public string? ErrorModeWord => ErrorMode switch
    {
        VerityMode.Restart => "restart_on_error",
        VerityMode.Panic => "panic_on_error",
        _ => null,
    };

    /// <summary>Blocks whose hash is that of zeroes are not read.</summary>
    public bool IgnoreZeroBlocks { get; private set; }

    /// <summary>Blocks are verified only the first time.</summary>
    public bool CheckAtMostOnce { get; private set; }

    /// <summary>Accepted and shown: where the kernel verifies.</summary>
    public bool TryVerifyInTasklet { get; private set; }

    /// <summary>Where the parity is; null without error correction.</summary>
    public DeviceReference? CorrectionDevice { get; private set; }

    /// <summary>Blocks that the parity covers.</summary>
    public ulong CorrectedBlocks { get; private set; }

    /// <summary>The first block of the parity.</summary>
    public ulong CorrectionStart { get; private set; }

    /// <summary>Bytes of parity in 255.</summary>
    public int Roots { get; private set; }

    /// <summary>The signature of the root hash; null without one.</summary>
    public RootHashSignature? Signature { get; private set; }

    /// <summary>Appends them as the kernel does, in its order.</summary>
    public void Append(StringBuilder text)
    {
        StringBuilder words = new();
        int count = 0;
        void Add(bool given, string word)
        {
            if (given)
            {
                words.Append(' ').Append(word);
                count += word.Split(' ').Length;
            }
        }

        Add(ModeWord is not null, ModeWord ?? "");
        Add(ErrorModeWord is not null, ErrorModeWord ?? "");
        Add(IgnoreZeroBlocks, "ignore_zero_blocks");
        Add(CheckAtMostOnce, "check_at_most_once");
        Add(TryVerifyInTasklet, "try_verify_in_tasklet");
        if (CorrectionDevice is not null)
        {
            words.Append(CultureInfo.InvariantCulture, $" use_fec_from_device {CorrectionDevice.Name} fec_blocks {CorrectedBlocks} fec_start {CorrectionStart} fec_roots {Roots}");
            count += 8;
        }

        Add(Signature is not null, $"root_hash_sig_key_desc {Signature?.Key}");
        if (count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $" {count}").Append(words);
        }
    }

    private static bool Is(string word, string option) => string.Equals(word, option, StringComparison.OrdinalIgnoreCase);

    private static bool IsPair(string word) =>
        Is(word, "use_fec_from_device") || Is(word, "fec_blocks") || Is(word, "fec_start") || Is(word, "fec_roots") || Is(word, "root_hash_sig_key_desc");

    private bool TakeFlag(int index)
    {
        string word = _arguments[index];
        VerityMode corruption = Is(word, "ignore_corruption") ? VerityMode.Ignore
            : Is(word, "restart_on_corruption") ? VerityMode.Restart
            : Is(word, "panic_on_corruption") ? VerityMode.Panic : VerityMode.Fail;
        VerityMode error = Is(word, "restart_on_error") ? VerityMode.Restart : Is(word, "panic_on_error") ? VerityMode.Panic : VerityMode.Fail;
        if ((corruption != VerityMode.Fail && Mode != VerityMode.Fail) || (error != VerityMode.Fail && ErrorMode != VerityMode.Fail))
        {
            throw _arguments.Refuse(index, "option", "contradicts an option before it: there is one way to handle an error");
        }

        if (corruption != VerityMode.Fail)
        {
            Mode = corruption;
        }
        else if (error != VerityMode.Fail)
        {
            ErrorMode = error;
        }
        else if (Is(word, "ignore_zero_blocks"))
        {
            IgnoreZeroBlocks = true;
        }
        else if (Is(word, "check_at_most_once"))
        {
            CheckAtMostOnce = true;
        }
        else if (Is(word, "try_verify_in_tasklet"))
        {
            TryVerifyInTasklet = true;
        }
        else
        {
            return false;
        }

        return true;
    }

    private void TakePair(int index, VerityArguments verity)
    {
        string word = _arguments[index];
        if (Is(word, "use_fec_from_device"))
        {
            if (CorrectionDevice is not null)
            {
                throw _arguments.Refuse(index, "option", "was given before");
            }

            CorrectionDevice = _arguments.Device(index + 1, "FEC device", DeviceMode.ReadOnly);
        }
        else if (Is(word, "fec_blocks"))
        {
            CorrectedBlocks = VerityArguments.Blocks(_arguments, index + 1, "fec_blocks", verity.DataBlockSize);
        }
        else if (Is(word, "fec_start"))
        {
            CorrectionStart = VerityArguments.Blocks(_arguments, index + 1, "fec_start", verity.DataBlockSize);
        }
        else if (Is(word, "fec_roots"))
        {
            Roots = (byte)_arguments.Number(index + 1, "fec_roots", $"a number from {FewestRoots} to {MostRoots}");
            if (Roots is < FewestRoots or > MostRoots)
            {
                throw _arguments.Refuse(index + 1, "fec_roots", $"is not a number from {FewestRoots} to {MostRoots}");
            }
        }
        else if (Is(word, "root_hash_sig_key_desc"))
        {
            Signature = Signature is null ? new RootHashSignature(_arguments, index + 1) : throw _arguments.Refuse(index, "option", "was given before");
        }
        else
        {
            throw _arguments.Refuse(index, "option", "is not an option of verity");
        }
    }
}
