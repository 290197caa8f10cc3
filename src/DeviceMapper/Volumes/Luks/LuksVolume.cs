using System.Globalization;
using System.Security.Cryptography;
using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Targets.Crypt;
using DeviceMapper.Volumes.Integrity;

namespace DeviceMapper.Volumes.Luks;

/// <summary>
/// A volume of LUKS1 or LUKS2: its header is read, a passphrase gives the key, and the key gives the line of a crypt table. Where sectors are
/// authenticated, there is an integrity device below it. Only <see cref="Format"/> writes.
/// </summary>
/// <example>
/// <code>
/// LuksVolume volume = LuksVolume.Open("disk.img");
/// using SecretMemory key = volume.Unlock("the passphrase"u8);
/// MappedDevice device = volume.Map(registry, "secret", key);
/// </code>
/// </example>
public sealed class LuksVolume
{
    /// <summary>The type of a volume's key in a keyring.</summary>
    public const string KeyType = "logon";

    /// <summary>How the name of an integrity device goes on after the volume's, as cryptsetup's.</summary>
    public const string IntegritySuffix = "_dif";

    private readonly string _headerPath;
    private readonly string _devicePath;
    private readonly LuksHeader _header;

    private LuksVolume(string headerPath, string devicePath)
    {
        _headerPath = headerPath;
        _devicePath = devicePath;
        using FileStream header = VolumeFile.OpenForReading(headerPath);
        _header = LuksHeader.Read(header);
    }

    /// <summary>1 or 2.</summary>
    public int Version => _header.Version;

    /// <summary>Of the volume.</summary>
    public string Uuid => _header.Uuid;

    /// <summary>Its name; empty without one, as in LUKS1.</summary>
    public string Label => _header.Label;

    /// <summary>The cipher, as cryptsetup names it.</summary>
    public string Cipher => _header.Segment.Cipher;

    /// <summary>What authenticates each sector, as <c>hmac(sha256)</c>, <c>poly1305</c>, or <c>aead</c> for the cipher itself; null: nothing.</summary>
    public string? Integrity => _header.Segment.Integrity?.Type;

    /// <summary>Bytes that are encrypted at once.</summary>
    public int SectorSize => _header.Segment.SectorSize;

    /// <summary>Where the data starts on its device, in bytes.</summary>
    public ulong DataOffset => _header.Segment.Offset;

    /// <summary>The keyslots in use: their number, and how they derive the key of a passphrase.</summary>
    public IEnumerable<(int Number, string Derivation)> Keyslots => _header.Keyslots.Select(slot => (slot.Number, slot.Derivation.Type));

    /// <summary>Reads the header of a volume.</summary>
    /// <param name="device">The path of a file or block device.</param>
    /// <param name="header">Where its header is, if it is not at its start.</param>
    /// <exception cref="DmException">EINVAL: there is no header, or it is damaged. Others: the path cannot be opened.</exception>
    public static LuksVolume Open(string device, string? header = null) => new(header ?? device, device);

    /// <summary>Makes a volume with a new random key, which a passphrase opens.</summary>
    /// <param name="device">The path of a file or block device.</param>
    /// <param name="passphrase">Of its first keyslot, or the content of a key file.</param>
    /// <param name="format">What it shall be like; null: LUKS2 with aes-xts-plain64, and argon2id.</param>
    /// <param name="header">Where its header goes, if not to its start; made if it is not there.</param>
    /// <param name="progress">Is told how many bytes are wiped, where sectors are authenticated.</param>
    /// <exception cref="DmException">
    /// EBUSY: somebody uses it. EEXIST: there is something already. EINVAL, ENOENT: there is no such volume, or a library is not installed. ENOSPC: the device is too small.
    /// Nothing is written then.
    /// </exception>
    public static LuksVolume Format(
        string device, ReadOnlySpan<byte> passphrase, LuksFormat? format = null, string? header = null, IProgress<ulong>? progress = null)
    {
        using SecretMemory key = LuksFormatting.Format(device, header, format ?? new LuksFormat(), passphrase);
        LuksVolume volume = Open(device, header);
        if (volume.Integrity is not null)
        {
            volume.FormatIntegrity(key, progress);
        }

        return volume;
    }

    /// <summary>Finds the volume's key by a passphrase, or the content of a key file.</summary>
    /// <exception cref="DmException">EPERM: no keyslot has it. EINVAL, ENOENT, ENOMEM: one could not be tried, and no other has it.</exception>
    public SecretMemory Unlock(ReadOnlySpan<byte> passphrase)
    {
        DmException? hindrance = null;
        using FileStream header = VolumeFile.OpenForReading(_headerPath);
        foreach (LuksKeyslot slot in _header.Keyslots)
        {
            try
            {
                SecretMemory key = KeyOf(header, slot, passphrase);
                if (_header.Digests.Any(digest => digest.Keyslots.Contains(slot.Number) && Fits(digest, key.Span)))
                {
                    return key;
                }

                key.Dispose();
            }
            catch (DmException e)
            {
                hindrance ??= new DmException(e.Errno, $"keyslot {slot.Number}: {e.Message}", e);
            }
        }

        throw hindrance
            ?? new DmException(Errno.EPERM, _header.Keyslots.Count == 0 ? "the volume has no keyslot in use" : "no keyslot has this passphrase");
    }

    /// <summary>The name of the volume's key in a keyring, as cryptsetup's.</summary>
    public string KeyDescription => $"cryptsetup:{Uuid}-d0";

    /// <summary>Puts the key where crypt targets of this process find it, under the name that cryptsetup gives it.</summary>
    /// <returns>The word for it in a table, which shows nothing of the key.</returns>
    public string AddToKeyring(SecretMemory key)
    {
        Keyring.Add(KeyType, KeyDescription, key.Span);
        return $":{key.Length}:{KeyType}:{KeyDescription}";
    }

    /// <summary>Makes the volume's device; below it, where sectors are authenticated, the integrity device <c>NAME_dif</c>.</summary>
    /// <param name="registry">Which has them then; the integrity device goes when it is removed after the other.</param>
    /// <param name="name">The device's name.</param>
    /// <param name="key">Of <see cref="Unlock"/>. It is not kept but by the table.</param>
    /// <param name="allowDiscards">Discards are passed on, whatever the header says.</param>
    /// <param name="withoutJournal">As of <see cref="IntegrityTableLine"/>.</param>
    /// <exception cref="DmException">It cannot be made; then neither device is there.</exception>
    public MappedDevice Map(DeviceRegistry registry, string name, SecretMemory key, bool allowDiscards = false, bool withoutJournal = false)
    {
        MappedDevice? below = Integrity is null ? null : registry.Create($"{name}{IntegritySuffix}", IntegrityTableLine(withoutJournal).ToString());
        try
        {
            string word = AddToKeyring(key);
            return registry.Create(name, TableLine(word, allowDiscards, below?.Number.ToString()).ToString());
        }
        catch
        {
            if (below is not null)
            {
                registry.Remove(below);
            }

            throw;
        }
        finally
        {
            Keyring.Remove(KeyType, KeyDescription);
        }
    }

    /// <summary>The line of the table of the integrity device below, which has the tags of authenticated sectors.</summary>
    /// <param name="withoutJournal">A write that a crash interrupts may leave data and tag that do not fit; also where the header says so.</param>
    /// <exception cref="DmException">EINVAL: nothing is authenticated, or the device's superblock is gone or damaged.</exception>
    public TableLine IntegrityTableLine(bool withoutJournal = false)
    {
        char mode = withoutJournal || !_header.HasJournal ? 'D' : 'J';
        return _header.Segment.IntegrityLine(DeviceWord, new SectorCount(ProvidedSectors()), mode);
    }

    /// <summary>The line of the volume's table.</summary>
    /// <param name="key">The word of the key: of <see cref="AddToKeyring"/>, or its hexadecimal digits.</param>
    /// <param name="allowDiscards">Discards are passed on, whatever the header says.</param>
    /// <param name="integrityDevice">Where sectors are authenticated, the table's word for the device of <see cref="IntegrityTableLine"/>.</param>
    /// <exception cref="DmException">EINVAL: the device ends before the data begins; there has to be an integrity device, or must not; it passes no discards on.</exception>
    public TableLine TableLine(string key, bool allowDiscards = false, string? integrityDevice = null)
    {
        LuksSegment segment = _header.Segment;
        if ((segment.Integrity is null) != (integrityDevice is null))
        {
            throw new DmException(Errno.EINVAL, integrityDevice is null
                ? "the volume's sectors are authenticated: an integrity device has to be below it"
                : "the volume's sectors are not authenticated: no integrity device is below it");
        }

        ulong size = integrityDevice is null ? VolumeFile.SizeOf(_devicePath) : new SectorCount(ProvidedSectors()).Bytes;
        ulong offset = integrityDevice is null ? segment.Offset : 0;
        ulong left = size > offset ? (size - offset) & ~((ulong)segment.SectorSize - 1) : 0;
        ulong length = segment.Size ?? left;
        if (length == 0 || length > left)
        {
            throw new DmException(
                Errno.EINVAL, $"the device has {size} bytes, and the volume's data would end behind it: it was cut off, or the header is of another");
        }

        string start = string.Create(CultureInfo.InvariantCulture, $"{segment.IvOffset} {integrityDevice ?? DeviceWord} {SectorCount.FromBytes(offset)}");
        List<string> options = Options(allowDiscards);
        string tail = options.Count == 0 ? "" : $" {options.Count} {string.Join(' ', options)}";
        string cipher = segment.Integrity?.CryptName(segment.Cipher) ?? segment.Cipher;
        return new TableLine(default, SectorCount.FromBytes(length), "crypt", $"{cipher} {key} {start}{tail}");
    }

    private string DeviceWord => TableParser.EscapeWord(Path.GetFullPath(_devicePath));

    private List<string> Options(bool allowDiscards)
    {
        LuksSegment segment = _header.Segment;
        List<string> options = [.. _header.Options];
        if (allowDiscards && segment.Integrity is not null)
        {
            throw new DmException(Errno.EINVAL, "the volume's sectors are authenticated: it passes no discards on");
        }

        if (allowDiscards && !options.Contains("allow_discards"))
        {
            options.Add("allow_discards");
        }

        if (segment.Integrity is not null)
        {
            options.AddRange(segment.Integrity.Options(segment.Cipher));
        }

        if (segment.SectorSize != Sector.Size)
        {
            options.Add($"sector_size:{segment.SectorSize}");
        }

        return options;
    }

    /// <summary>The integrity target itself formats a blank device; zeroes that are written through both devices give all sectors tags.</summary>
    private void FormatIntegrity(SecretMemory key, IProgress<ulong>? progress)
    {
        using DeviceRegistry registry = new();
        registry.Remove(registry.Create("format", _header.Segment.NewIntegrityLine(DeviceWord).ToString()));
        MappedDevice device = Map(registry, "wipe", key, withoutJournal: true);
        DeviceWipe.WriteZeroes(device, device.Size, progress);
        registry.Remove(device);
    }

    // Of the integrity device, in its superblock.
    private ulong ProvidedSectors()
    {
        using FileStream device = VolumeFile.OpenForReading(_devicePath);
        return IntegrityHeader.Read(device, _header.Segment.Offset).ProvidedSectors;
    }

    private static SecretMemory KeyOf(FileStream header, LuksKeyslot slot, ReadOnlySpan<byte> passphrase)
    {
        int length = slot.KeySize * slot.Stripes;
        int whole = (length + Sector.Size - 1) / Sector.Size * Sector.Size;
        using SecretMemory derived = new(slot.CipherKeySize);
        slot.Derivation.Derive(passphrase, derived.Span);
        using SecretMemory stripes = new(LuksHeader.ReadAt(header, slot.Offset, whole));
        using CryptCipher cipher = slot.NewCipher();
        cipher.SetKey(derived.Span);
        cipher.Decrypt(stripes.Buffer, 0);
        SecretMemory key = new(slot.KeySize);
        try
        {
            using Digest hash = Digest.Create(slot.SplitHash);
            AntiForensicSplit.Merge(stripes.Span[..length], key.Span, hash);
            return key;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private static bool Fits(LuksDigest digest, ReadOnlySpan<byte> key)
    {
        byte[] value = new byte[digest.Value.Length];
        digest.Derivation.Derive(key, value);
        return CryptographicOperations.FixedTimeEquals(value, digest.Value);
    }
}
