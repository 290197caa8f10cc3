using System.Globalization;
using DeviceMapper.Ioctl;
using DeviceMapper.Volumes.Verity;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Volumes of verity, as veritysetup makes them.</summary>
internal sealed class VerityVerb : Verb
{
    private const int MostOfRootFile = 1 << 12; // bytes
    private const int LongestSignature = 32767; // bytes, as of any key in the kernel

    /// <inheritdoc/>
    public override string Name => "verity";

    /// <inheritdoc/>
    public override string Usage =>
        """
        format DATA HASH [--root-hash-file FILE] [--hash HASH] [--salt HEX|-] [--data-block-size BYTES] [--hash-block-size BYTES]
               [--data-blocks N] [--format 0|1] [--uuid UUID] [--hash-offset BYTES] [--no-superblock] [--force]
               [--fec-device PARITY [--fec-roots N] [--fec-offset BYTES]]
        verify DATA HASH ROOT|--root-hash-file FILE [--hash-offset BYTES]
        open DATA NAME HASH ROOT|--root-hash-file FILE [--hash-offset BYTES] [--fec-device PARITY [--fec-roots N] [--fec-offset BYTES]]
               [--ignore-corruption|--restart-on-corruption|--panic-on-corruption] [--ignore-zero-blocks] [--check-at-most-once]
               [--root-hash-signature FILE]
        close NAME
        dump HASH [--hash-offset BYTES]
        """;

    /// <inheritdoc/>
    public override string Summary => "Makes, checks and opens read-only volumes that a hash protects, as veritysetup does.";

    /// <inheritdoc/>
    public override string Help =>
        """
          format  hashes DATA, a file or block device, writes superblock and tree to HASH, which is made if it is not there, and prints the
                  root hash. Where there is anything but zeroes or an older tree, nothing is written without --force
          verify  reads all of DATA and HASH, and says the first block that is corrupt; no daemon is needed
          open    makes the read-only device NAME, whose every block is checked when it is read
          close   removes NAME
          dump    prints what the superblock says

          --root-hash-file FILE  format writes the root hash there; the others read it
          --root-hash-signature FILE
                                 a signature of the root hash, PKCS #7 in DER, by one of the daemon's --verity-certificates
          --hash-offset BYTES    where superblock and tree are on HASH, which may be DATA: behind the data then
          --no-superblock        there is none: --hash, --salt and all the others have to be given as they were to format
          --fec-device PARITY    Reed-Solomon parity, which repairs what is corrupt when the device is read; --fec-roots of 255 bytes, 2 to 24

        Options are veritysetup's, and so is what they are without being given: sha256, blocks of 4096 bytes, 32 random bytes of salt.

        Example:
          udm verity format data.img hash.img --root-hash-file root
        """;

    /// <inheritdoc/>
    public override IReadOnlyList<Option> OwnOptions =>
    [
        Option.CheckAtMostOnce, Option.DataBlockSize, Option.DataBlocks, Option.FecDevice, Option.FecOffset, Option.FecRoots,
        Option.Format, Option.Hash, Option.HashBlockSize, Option.HashOffset, Option.IgnoreCorruption, Option.IgnoreZeroBlocks,
        Option.NoSuperblock, Option.PanicOnCorruption, Option.RestartOnCorruption, Option.RootHashFile, Option.RootHashSignature,
        Option.Salt,
    ];

    /// <inheritdoc/>
    public override int MinOperands => 2;

    /// <inheritdoc/>
    public override int MaxOperands => 5;

    /// <inheritdoc/>
    public override int WrongUsageStatus => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        switch (context.Operands.ToArray())
        {
            case ["format", string data, string hash]:
                context.Device = hash;
                Format(context, data, hash);
                break;
            case ["verify", string data, string hash, .. { Length: <= 1 } root]:
                context.Device = data;
                Verify(context, VerityVolume.Open(data, hash, RootHash(context, root), Options(context)));
                break;
            case ["open", string data, string name, string hash, .. { Length: <= 1 } root]:
                Open(context, hash, name, () => VerityVolume.Open(data, hash, RootHash(context, root), Options(context)));
                break;
            case ["close", string name]:
                DeviceSetup.Close(context, name, "verity", "verity volume");
                break;
            case ["dump", string hash]:
                context.Device = hash;
                Show(context, VeritySuperblock.Read(Reading(hash), context.LongNumber(Option.HashOffset) ?? 0), null);
                break;
            default:
                throw new UsageException("one of 'format', 'verify', 'open', 'close' and 'dump', with its operands, is expected");
        }

        return 0;
    }

    private static void Format(VerbContext context, string data, string hash)
    {
        VerityFormat format = Options(context);
        string? file = context.Options.Value(Option.RootHashFile);
        VerityVolume volume;
        using (WorkProgress progress = new(context, "{0} blocks are hashed"))
        {
            volume = VerityVolume.Format(data, hash, format, progress);
        }

        if (file is not null)
        {
            Files(() => File.WriteAllText(file, Convert.ToHexStringLower(volume.RootHash)));
        }

        Show(context, volume.Superblock, volume);
    }

    private static void Verify(VerbContext context, VerityVolume volume)
    {
        using WorkProgress progress = new(context, $"{{0}} of {volume.Superblock.DataBlocks} blocks are good");
        if (volume.FindCorruption(progress) is { } corruption)
        {
            throw new VerbException(corruption);
        }
    }

    private static void Open(VerbContext context, string hash, string name, Func<VerityVolume> open)
    {
        DeviceSelector selector = context.Select(name);
        context.Device = hash; // whose superblock may be wrong
        VerityVolume volume = open();
        byte[]? signature = context.Options.Value(Option.RootHashSignature) is { } file ? Signature(file) : null;
        context.Device = name;
        (Option Option, string Word)[] words =
        [
            (Option.IgnoreCorruption, "ignore_corruption"), (Option.RestartOnCorruption, "restart_on_corruption"), (Option.PanicOnCorruption, "panic_on_corruption"),
            (Option.IgnoreZeroBlocks, "ignore_zero_blocks"), (Option.CheckAtMostOnce, "check_at_most_once"),
        ];
        List<string> options = [.. words.Where(word => context.Options.Has(word.Option)).Select(word => word.Word)];
        if (signature is not null)
        {
            options.AddRange(["root_hash_sig_key_desc", volume.SignatureDescription]);
        }

        DeviceSetup.Make(
            context,
            selector,
            volume.TableLine(options),
            $"CRYPT-VERITY-{volume.Superblock.Uuid:N}-{name}", // as veritysetup's
            DmFlags.ReadOnly,
            signature is null ? null : devices => devices.GiveKey(VerityVolume.SignatureType, volume.SignatureDescription, signature));
    }

    private static byte[] Signature(string file)
    {
        using FileStream stream = Reading(file);
        byte[] bytes = new byte[LongestSignature + 1];
        int length = Files(() => stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
        return length is > 0 and <= LongestSignature
            ? bytes[..length]
            : throw new VerbException($"'{file}' is no signature: {(length == 0 ? "it is empty" : $"it has more than {LongestSignature} bytes")}");
    }

    private static VerityFormat Options(VerbContext context)
    {
        CommandLine options = context.Options;
        VerityFormat standard = new();
        return standard with
        {
            HashType = context.Number(Option.Format) ?? standard.HashType,
            Algorithm = options.Value(Option.Hash) ?? standard.Algorithm,
            DataBlockSize = context.Number(Option.DataBlockSize) ?? standard.DataBlockSize,
            HashBlockSize = context.Number(Option.HashBlockSize) ?? standard.HashBlockSize,
            DataBlocks = context.LongNumber(Option.DataBlocks),
            Salt = options.Value(Option.Salt) is not { } salt ? null : salt == "-" ? [] : Hexadecimal("the salt", salt),
            Uuid = options.Value(Option.Uuid) is not { } uuid ? standard.Uuid
                : Guid.TryParseExact(uuid, "D", out Guid given) ? given
                : throw new UsageException($"uuid: '{uuid}' is none"),
            HashOffset = context.LongNumber(Option.HashOffset) ?? 0,
            HasSuperblock = !options.Has(Option.NoSuperblock),
            ParityDevice = options.Value(Option.FecDevice),
            ParityOffset = context.LongNumber(Option.FecOffset) ?? 0,
            ParityRoots = (int)Math.Min(context.Number(Option.FecRoots) ?? (uint)standard.ParityRoots, int.MaxValue),
            Overwrite = options.Has(Option.Force),
        };
    }

    private static byte[] RootHash(VerbContext context, string[] operand)
    {
        string? file = context.Options.Value(Option.RootHashFile);
        if ((file is null) == (operand.Length == 0))
        {
            throw new UsageException("the root hash is expected, or --root-hash-file");
        }

        return Hexadecimal("the root hash", file is null ? operand[0] : Files(() =>
        {
            using StreamReader reader = new(Reading(file));
            char[] text = new char[MostOfRootFile];
            return new string(text, 0, reader.ReadBlock(text)).Trim();
        }));
    }

    private static byte[] Hexadecimal(string what, string text)
    {
        byte[] bytes = new byte[text.Length / 2];
        return text.Length % 2 == 0 && Convert.FromHexString(text, bytes, out _, out _) == System.Buffers.OperationStatus.Done
            ? bytes
            : throw new VerbException($"{what} '{text}' is not of pairs of hexadecimal digits");
    }

    private static FileStream Reading(string path) => Files(() => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));

    private static T Files<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VerbException(e.Message);
        }
    }

    private static void Files(Action work) => Files(() =>
    {
        work();
        return true;
    });

    /// <summary>Prints a superblock, and of a volume also how large its tree is, and its root hash.</summary>
    private static void Show(VerbContext context, VeritySuperblock superblock, VerityVolume? volume)
    {
        List<(string Name, object Value)> lines =
        [
            ("uuid", superblock.Uuid.ToString()),
            ("hash type", superblock.HashType),
            ("data blocks", superblock.DataBlocks),
            ("data block size", superblock.DataBlockSize),
        ];
        if (volume is not null)
        {
            lines.Add(("hash blocks", volume.HashBlocks));
        }

        lines.AddRange([
            ("hash block size", superblock.HashBlockSize),
            ("hash algorithm", superblock.Algorithm),
            ("salt", superblock.Salt.Length == 0 ? "-" : Convert.ToHexStringLower(superblock.Salt)),
        ]);
        if (volume is not null)
        {
            lines.Add(("root hash", Convert.ToHexStringLower(volume.RootHash)));
        }

        if (context.PrintsJson)
        {
            JsonValues.Print(context.Out, json =>
            {
                foreach ((string name, object value) in lines)
                {
                    string key = name.Replace(' ', '_') + (name.EndsWith("size", StringComparison.Ordinal) ? "_bytes" : "");
                    if (value is string text)
                    {
                        json.WriteString(key, text);
                    }
                    else
                    {
                        json.WriteNumber(key, Convert.ToUInt64(value, CultureInfo.InvariantCulture));
                    }
                }
            });
            return;
        }

        foreach ((string name, object value) in lines)
        {
            context.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}\t{value}"));
        }
    }
}
