using System.Globalization;
using DeviceMapper;
using DeviceMapper.Cryptography;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using DeviceMapper.Volumes.Luks;

namespace Udm.Verbs;

/// <summary>Volumes of LUKS1 and LUKS2, as cryptsetup makes them.</summary>
internal sealed class LuksVerb : Verb
{
    private const string IntegrityUuid = "CRYPT-INTEGRITY-"; // and the volume's, and the device's name

    /// <inheritdoc/>
    public override string Name => "luks";

    /// <inheritdoc/>
    public override string Usage =>
        """
        open DEVICE NAME [--header FILE] [--key-file FILE] [--readonly] [--allow-discards] [-D|--integrity-no-journal]
        close NAME
        dump DEVICE [--header FILE]
        format DEVICE [--type luks1|luks2] [--header FILE] [--key-file FILE] [--label LABEL] [--uuid UUID] [--force]
               [--cipher CIPHER] [--key-size BITS] [--sector-size BYTES] [--hash HASH] [--integrity TYPE]
               [--pbkdf argon2id|argon2i|pbkdf2] [--iterations N] [--pbkdf-memory KIB]
        """;

    /// <inheritdoc/>
    public override string Summary => "Makes, opens and closes LUKS volumes, and shows their headers.";

    /// <inheritdoc/>
    public override string Help =>
        """
          open   finds the key of the volume on DEVICE, a file or block device, by a passphrase, and makes the device NAME with a crypt
                 table. The passphrase is asked for, or is the first line of standard input, or all of FILE
                 Where the volume's sectors are authenticated, the integrity device NAME_dif is made below it
          close  removes NAME, and the integrity device below it
          dump   prints what the header says; nothing of it is secret
          format makes a new volume with a new key, which the passphrase opens; cryptsetup opens it too. Where there is anything but zeroes,
                 nothing is written without --force

          --integrity TYPE  hmac-sha256, or with such a cipher aead or poly1305: each sector is authenticated. Then all of DEVICE is overwritten
          --header FILE     where the header is, if it is not on DEVICE
          --key-file FILE   what is in it is the passphrase, to the last byte; - for standard input
          --allow-discards  discards are passed on
          --integrity-no-journal
                            authenticated sectors are written once, not to a journal first: a crash may leave some that cannot be read

        What a new volume is without options: LUKS2, aes-xts-plain64, a key of 512 bits, sectors of 4096 bytes, and argon2id (LUKS1: pbkdf2)
        that takes two seconds. --iterations are pbkdf2's rounds or Argon2's passes. Only format writes to the header.

        Example:
          udm luks open disk.img secret
        """;

    /// <inheritdoc/>
    public override IReadOnlyList<Option> OwnOptions =>
    [
        Option.AllowDiscards, Option.Cipher, Option.Derivation, Option.Hash, Option.Header, Option.Integrity, Option.IntegrityNoJournal,
        Option.Iterations, Option.KeyFile, Option.KeySize, Option.Label, Option.Memory, Option.SectorSize, Option.Type,
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
            case ["open", string device, string name]:
                Open(context, device, name);
                break;
            case ["close", string name]:
                Close(context, name);
                break;
            case ["dump", string device]:
                context.Device = device;
                Dump(context, LuksVolume.Open(device, context.Options.Value(Option.Header)));
                break;
            case ["format", string device]:
                context.Device = device;
                Format(context, device);
                break;
            default:
                throw new UsageException("one of 'open', 'close', 'dump' and 'format', with its operands, is expected");
        }

        return 0;
    }

    private static void Open(VerbContext context, string device, string name)
    {
        DeviceSelector selector = context.Select(name);
        context.Device = device; // whose header or passphrase may be wrong
        LuksVolume volume = LuksVolume.Open(device, context.Options.Value(Option.Header));
        using SecretMemory passphrase = Passphrase.Read(context, $"Passphrase of {device}: ");
        using SecretMemory key = volume.Unlock(passphrase.Span);
        context.Device = name;
        DmFlags flags = context.Options.Has(Option.ReadOnly) ? DmFlags.ReadOnly : DmFlags.None;
        string uuid = volume.Uuid.Replace("-", "", StringComparison.Ordinal); // in those of the devices as in cryptsetup's
        DeviceInfo? below = null;
        if (volume.Integrity is not null)
        {
            string belowName = $"{name}{LuksVolume.IntegritySuffix}";
            DeviceSelector belowSelector = context.Select(belowName);
            TableLine line = volume.IntegrityTableLine(context.Options.Has(Option.IntegrityNoJournal));
            DeviceSetup.Make(context, belowSelector, line, $"{IntegrityUuid}{uuid}-{belowName}", flags);
            below = context.Devices.Find(belowSelector, DmFlags.None);
        }

        try
        {
            DeviceSetup.Make(
                context,
                selector,
                volume.TableLine($":{key.Length}:{LuksVolume.KeyType}:{volume.KeyDescription}", context.Options.Has(Option.AllowDiscards), below?.Number.ToString()),
                $"CRYPT-LUKS{volume.Version}-{uuid}-{name}",
                flags,
                devices => devices.GiveKey(LuksVolume.KeyType, volume.KeyDescription, key.Span)); // never in a string
        }
        catch (DmException) when (below is not null)
        {
            context.Devices.Remove(DeviceSelector.ByNumber(below.Number), DmFlags.None);
            throw;
        }
    }

    private static void Close(VerbContext context, string name)
    {
        DeviceInfo? below = IntegrityBelow(context, context.Select(name));
        DeviceSetup.Close(context, name, "crypt", "LUKS volume");
        if (below is not null)
        {
            context.Devices.Remove(DeviceSelector.ByNumber(below.Number), DmFlags.None);
        }
    }

    /// <summary>The device below that has a volume's tags, and was made for it; null without one.</summary>
    private static DeviceInfo? IntegrityBelow(VerbContext context, DeviceSelector device)
    {
        if (DeviceSetup.Only(context, device, "crypt") is not { } target || !target.Text.Contains(" integrity:", StringComparison.Ordinal))
        {
            return null;
        }

        // One device is all that crypt has. Later versions of cryptsetup name it CRYPT-SUBDEV-.
        DeviceInfo? below = context.Devices.Find(DeviceSelector.ByNumber(context.Devices.Dependencies(device, DmFlags.None).Dependencies[0].Number), DmFlags.None);
        bool isItsOwn = below is not null && (below.Uuid.StartsWith(IntegrityUuid, StringComparison.Ordinal) || below.Uuid.StartsWith("CRYPT-SUBDEV-", StringComparison.Ordinal));
        return isItsOwn ? below : null;
    }

    private static void Format(VerbContext context, string device)
    {
        CommandLine options = context.Options;
        LuksFormat standard = new();
        int bits = Whole(Option.KeySize) ?? 512;
        LuksFormat format = new()
        {
            Version = options.Value(Option.Type) switch
            {
                null or "luks2" => 2,
                "luks1" => 1,
                string other => throw new UsageException($"type: '{other}' is neither luks1 nor luks2"),
            },
            Cipher = options.Value(Option.Cipher) ?? standard.Cipher,
            KeySize = bits % 8 == 0 ? bits / 8 : throw new UsageException($"keysize: {bits} bits are no whole bytes"),
            Integrity = options.Value(Option.Integrity),
            SectorSize = Whole(Option.SectorSize),
            Hash = options.Value(Option.Hash) ?? standard.Hash,
            Derivation = options.Value(Option.Derivation),
            Iterations = Whole(Option.Iterations),
            Memory = Whole(Option.Memory),
            Label = options.Value(Option.Label) ?? "",
            Uuid = options.Value(Option.Uuid) is not string uuid ? standard.Uuid
                : Guid.TryParseExact(uuid, "D", out Guid given) ? given
                : throw new UsageException($"uuid: '{uuid}' is none"),
            Overwrite = options.Has(Option.Force),
        };
        using SecretMemory passphrase = Passphrase.ReadNew(context, $"New passphrase of {device}: ");
        using WorkProgress progress = new(context, "{0} bytes are wiped");
        LuksVolume.Format(device, passphrase.Span, format, options.Value(Option.Header), progress);

        int? Whole(Option option) => context.Number(option) is not { } number ? null
            : number <= int.MaxValue ? (int)number
            : throw new UsageException($"{option.ToString().ToLowerInvariant()}: {number} is more than there can be");
    }

    private static void Dump(VerbContext context, LuksVolume volume)
    {
        context.Out.WriteLine($"version\t{volume.Version}");
        context.Out.WriteLine($"uuid\t{volume.Uuid}");
        context.Out.WriteLine($"label\t{volume.Label}");
        context.Out.WriteLine($"cipher\t{volume.Cipher}");
        context.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"sector size\t{volume.SectorSize}"));
        context.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"data offset\t{volume.DataOffset}"));
        context.Out.WriteLine($"integrity\t{volume.Integrity ?? "-"}");
        foreach ((int number, string derivation) in volume.Keyslots)
        {
            context.Out.WriteLine($"keyslot {number}\t{derivation}");
        }
    }
}
