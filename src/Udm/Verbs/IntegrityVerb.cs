using System.Globalization;
using System.Text.Json;
using DeviceMapper.Cryptography;
using DeviceMapper.Ioctl;
using DeviceMapper.Volumes.Integrity;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Volumes of integrity, as integritysetup makes them.</summary>
internal sealed class IntegrityVerb : Verb
{
    private const string KeyNames = "integrity-"; // in the keyring of the connection

    /// <inheritdoc/>
    public override string Name => "integrity";

    /// <inheritdoc/>
    public override string Usage =>
        """
        format DEVICE [--integrity HASH] [--tag-size BYTES] [--sector-size BYTES] [--journal-size BYTES] [--interleave-sectors N]
               [--data-device FILE] [--no-wipe] [--force] [KEYS]
        open DEVICE NAME [--integrity HASH] [-B|--integrity-bitmap-mode] [-D|--integrity-no-journal] [-R|--integrity-recovery-mode]
               [--integrity-recalculate] [--integrity-recalculate-reset] [--integrity-legacy-recalculate] [--allow-discards]
               [--journal-watermark PERCENT] [--journal-commit-time MS] [--bitmap-sectors-per-bit N] [--bitmap-flush-time MS]
               [--buffer-sectors N] [--data-device FILE] [KEYS]
        close NAME
        dump DEVICE
        """;

    /// <inheritdoc/>
    public override string Summary => "Makes and opens volumes whose blocks have tags that tell what was changed, as integritysetup does.";

    /// <inheritdoc/>
    public override string Help =>
        """
          format  makes a volume on DEVICE, a file or block device, and overwrites it with zeroes, so that all of it has tags. Where there is
                  anything but zeroes in the first MiB, nothing is written without --force
          open    makes the device NAME. What the superblock does not say, hashes and keys, has to be given as it was to format
          close   removes NAME
          dump    prints what the superblock says

          --integrity HASH    crc32c (if not given), crc32, xxhash64, sha1, sha256, hmac-sha256 ...
          --no-wipe           what is there stays: open it with --integrity-recalculate first
          --data-device FILE  the data alone is there, and on DEVICE journal and tags

        KEYS are --integrity-key-file FILE, --journal-integrity HASH, --journal-integrity-key-file FILE, --journal-crypt CIPHER and
        --journal-crypt-key-file FILE; with each file may be the bytes that are taken of it: --integrity-key-size,
        --journal-integrity-key-size and --journal-crypt-key-size BYTES.

        Example:
          udm integrity format disk.img --integrity sha256
        """;

    /// <inheritdoc/>
    public override IReadOnlyList<Option> OwnOptions =>
    [
        Option.AllowDiscards, Option.BitmapFlushTime, Option.BitmapSectorsPerBit, Option.BufferSectors, Option.DataDevice,
        Option.Integrity, Option.IntegrityBitmapMode, Option.IntegrityKeyFile, Option.IntegrityKeySize, Option.IntegrityLegacyRecalculate,
        Option.IntegrityNoJournal, Option.IntegrityRecalculate, Option.IntegrityRecalculateReset, Option.IntegrityRecoveryMode,
        Option.InterleaveSectors, Option.JournalCommitTime, Option.JournalCrypt, Option.JournalCryptKeyFile, Option.JournalCryptKeySize,
        Option.JournalIntegrity, Option.JournalIntegrityKeyFile, Option.JournalIntegrityKeySize, Option.JournalSize,
        Option.JournalWatermark, Option.NoWipe, Option.SectorSize, Option.TagSize,
    ];

    /// <inheritdoc/>
    public override int MinOperands => 2;

    /// <inheritdoc/>
    public override int MaxOperands => 3;

    /// <inheritdoc/>
    public override int WrongUsageStatus => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        switch (context.Operands)
        {
            case ["format", string device]:
                context.Device = device;
                Format(context, device);
                break;
            case ["open", string device, string name]:
                Open(context, device, name);
                break;
            case ["close", string name]:
                DeviceSetup.Close(context, name, "integrity", "integrity volume");
                break;
            case ["dump", string device]:
                context.Device = device;
                Dump(context, IntegrityVolume.ReadHeader(device));
                break;
            default:
                throw new UsageException("one of 'format', 'open', 'close' and 'dump', with its operands, is expected");
        }

        return 0;
    }

    private static void Format(VerbContext context, string device)
    {
        using Keys keys = new(context);
        using WorkProgress progress = new(context, "{0} bytes are wiped");
        IntegrityVolume.Format(device, Options(context, keys), progress);
    }

    private static void Open(VerbContext context, string device, string name)
    {
        DeviceSelector selector = context.Select(name);
        using Keys keys = new(context);
        IntegrityFormat format = Options(context, keys);
        context.Device = device; // whose superblock may be wrong
        IntegrityVolume volume = IntegrityVolume.Open(device, format);
        context.Device = name;
        DeviceSetup.Make(
            context,
            selector,
            volume.TableLine(KeyNames),
            $"CRYPT-INTEGRITY-{name}", // as integritysetup's
            format.Mode == IntegrityMode.Recovery ? DmFlags.ReadOnly : DmFlags.None,
            devices => GiveKeys(devices, format));
    }

    /// <summary>The keys go beside the table, never in a string.</summary>
    private static void GiveKeys(DeviceClient devices, IntegrityFormat format)
    {
        foreach ((string description, SecretMemory key) in format.NamedKeys(KeyNames))
        {
            devices.GiveKey(Keyring.Passed, description, key.Span);
        }
    }

    private static void Dump(VerbContext context, IntegrityHeader header)
    {
        (string Name, object Value)[] lines =
        [
            ("version", header.Version),
            ("tag size", header.TagSize),
            ("sector size", header.SectorSize),
            ("journal sections", header.JournalSections),
            ("interleave sectors", header.InterleaveSectors),
            ("provided sectors", header.ProvidedSectors),
            ("recalculated sectors", header.RecalculatedSectors is { } sectors ? sectors : "-"),
            ("features", header.Features.Count == 0 ? "-" : string.Join(' ', header.Features)),
        ];
        if (context.PrintsJson)
        {
            JsonValues.Print(context.Out, json => WriteJson(json, header));
            return;
        }

        foreach ((string name, object value) in lines)
        {
            context.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}\t{value}"));
        }
    }

    private static void WriteJson(Utf8JsonWriter json, IntegrityHeader header)
    {
        json.WriteNumber("version", header.Version);
        json.WriteNumber("tag_bytes", header.TagSize);
        json.WriteNumber("sector_size_bytes", header.SectorSize);
        json.WriteNumber("journal_sections", header.JournalSections);
        json.WriteNumber("interleave_sectors", header.InterleaveSectors);
        json.WriteNumber("provided_sectors", header.ProvidedSectors);
        JsonValues.Write(json, "recalculated_sectors", (long?)header.RecalculatedSectors);
        json.WriteStartArray("features");
        foreach (string feature in header.Features)
        {
            json.WriteStringValue(feature);
        }

        json.WriteEndArray();
    }

    private static IntegrityFormat Options(VerbContext context, Keys keys)
    {
        CommandLine options = context.Options;
        IntegrityMode[] modes =
        [
            .. options.Has(Option.IntegrityBitmapMode) ? [IntegrityMode.Bitmap] : Array.Empty<IntegrityMode>(),
            .. options.Has(Option.IntegrityNoJournal) ? [IntegrityMode.Direct] : Array.Empty<IntegrityMode>(),
            .. options.Has(Option.IntegrityRecoveryMode) ? [IntegrityMode.Recovery] : Array.Empty<IntegrityMode>(),
        ];
        return new IntegrityFormat
        {
            Hash = new IntegrityKey(options.Value(Option.Integrity) ?? "crc32c", keys.Hash),
            TagSize = Whole(Option.TagSize),
            SectorSize = Whole(Option.SectorSize) ?? 512,
            JournalSize = context.LongNumber(Option.JournalSize),
            InterleaveSectors = context.Number(Option.InterleaveSectors),
            BufferSectors = context.Number(Option.BufferSectors),
            Mode = modes.Length <= 1 ? modes.FirstOrDefault() : throw new UsageException("one mode at most can be chosen"),
            JournalWatermark = context.Number(Option.JournalWatermark),
            JournalCommitTime = context.Number(Option.JournalCommitTime),
            BitmapSectorsPerBit = context.Number(Option.BitmapSectorsPerBit),
            BitmapFlushTime = context.Number(Option.BitmapFlushTime),
            JournalHash = options.Value(Option.JournalIntegrity) is { } hash ? new IntegrityKey(hash, keys.JournalHash) : null,
            JournalCipher = options.Value(Option.JournalCrypt) is { } cipher ? new IntegrityKey(cipher, keys.JournalCipher) : null,
            AllowDiscards = options.Has(Option.AllowDiscards),
            Recalculate = options.Has(Option.IntegrityRecalculate) || options.Has(Option.IntegrityLegacyRecalculate),
            ResetRecalculate = options.Has(Option.IntegrityRecalculateReset),
            LegacyRecalculate = options.Has(Option.IntegrityLegacyRecalculate),
            DataDevice = options.Value(Option.DataDevice),
            Wipe = !options.Has(Option.NoWipe),
            Overwrite = options.Has(Option.Force),
        };

        int? Whole(Option option) => context.Number(option) is { } number ? (int)Math.Min(number, int.MaxValue) : null;
    }

    /// <summary>The keys of the files that were named.</summary>
    private sealed class Keys : IDisposable
    {
        public Keys(VerbContext context)
        {
            try
            {
                Hash = Read(context, Option.IntegrityKeyFile, Option.IntegrityKeySize);
                JournalHash = Read(context, Option.JournalIntegrityKeyFile, Option.JournalIntegrityKeySize);
                JournalCipher = Read(context, Option.JournalCryptKeyFile, Option.JournalCryptKeySize);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public SecretMemory? Hash { get; }

        public SecretMemory? JournalHash { get; }

        public SecretMemory? JournalCipher { get; }

        public void Dispose()
        {
            Hash?.Dispose();
            JournalHash?.Dispose();
            JournalCipher?.Dispose();
        }

        private static SecretMemory? Read(VerbContext context, Option file, Option size)
        {
            if (context.Options.Value(file) is not { } path)
            {
                return context.Options.Has(size) ? throw new UsageException($"{OptionForm.Of(size)} needs {OptionForm.Of(file)}") : null;
            }

            SecretMemory key = Passphrase.ReadFile(path);
            if (context.Number(size) is not { } bytes || bytes == key.Length)
            {
                return key;
            }

            using (key)
            {
                return bytes <= key.Length && bytes > 0
                    ? new SecretMemory(key.Span[..(int)bytes])
                    : throw new VerbException($"the key file '{path}' has {key.Length} bytes, and {bytes} are expected");
            }
        }
    }
}
