using DeviceMapper.Cryptography;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Volumes.Integrity;

/// <summary>
/// A device whose every block has a tag that tells whether it was changed, as integritysetup makes it: its superblock gives the line of an integrity
/// table. Only <see cref="Format"/> writes.
/// </summary>
/// <example>
/// <code>
/// IntegrityVolume.Format("disk.img");
/// IntegrityVolume volume = IntegrityVolume.Open("disk.img");
/// TableLine line = volume.TableLine();
/// </code>
/// </example>
public sealed class IntegrityVolume
{
    private readonly string _path;
    private readonly IntegrityFormat _format;

    private IntegrityVolume(string path, IntegrityFormat format, IntegrityHeader header)
    {
        _path = path;
        _format = format;
        Header = header;
    }

    /// <summary>What the superblock says.</summary>
    public IntegrityHeader Header { get; }

    /// <summary>Makes a volume.</summary>
    /// <param name="device">The path of a file or block device.</param>
    /// <param name="format">What it shall be like; null: as integritysetup's without options, crc32c for each 512 bytes.</param>
    /// <param name="progress">Is told how many bytes are wiped.</param>
    /// <exception cref="DmException">
    /// EBUSY: somebody uses it. EEXIST: there is something already. EINVAL, ENOENT, ENOKEY: there is no such volume or hash. Nothing is written then.
    /// EIO and others: writing failed.
    /// </exception>
    public static IntegrityVolume Format(string device, IntegrityFormat? format = null, IProgress<ulong>? progress = null)
    {
        format ??= new IntegrityFormat();
        IntegrityFormatting.Format(device, format, progress);
        return Open(device, format);
    }

    /// <summary>Reads the superblock of a volume.</summary>
    /// <param name="device">The path of the file or block device with the superblock.</param>
    /// <param name="format">Hashes, keys, and how it is opened; null: crc32c, with its journal.</param>
    /// <exception cref="DmException">EINVAL: there is no superblock, or it is damaged. Others: the path cannot be opened.</exception>
    public static IntegrityVolume Open(string device, IntegrityFormat? format = null)
    {
        format ??= new IntegrityFormat();
        IntegrityHeader header = ReadHeader(device);
        if ((header.InterleaveSectors == 0) != (format.DataDevice is not null))
        {
            throw new DmException(Errno.EINVAL, format.DataDevice is null
                ? "the superblock says that the data is on a device of its own, which has to be named"
                : "the superblock says that the data is beside the tags, not on a device of its own");
        }

        return new IntegrityVolume(device, format, header);
    }

    /// <summary>Reads a superblock alone.</summary>
    /// <exception cref="DmException">As of <see cref="Open"/>.</exception>
    public static IntegrityHeader ReadHeader(string device)
    {
        using FileStream stream = VolumeFile.OpenForReading(device);
        return IntegrityHeader.Read(stream);
    }

    /// <summary>The line of the volume's table. It has the keys' digits, where there are any.</summary>
    public TableLine TableLine() => MakeLine(null);

    /// <summary>The same, with names in place of keys: each of <see cref="IntegrityFormat.NamedKeys"/> has to be in the keyring while the table is loaded, as one of the type <see cref="Keyring.Passed"/>.</summary>
    /// <param name="keyring">How the names start.</param>
    public TableLine TableLine(string keyring) => MakeLine(keyring);

    /// <summary>A path as a table's word.</summary>
    internal static string Word(string path) => TableParser.EscapeWord(Path.GetFullPath(path));

    /// <summary>The line of a table for a device that is formatted, or to be.</summary>
    /// <param name="device">The table's word for the device with the superblock.</param>
    /// <param name="data">That for a device with the data alone, or null.</param>
    /// <param name="format">What it is like.</param>
    /// <param name="sectors">Its size.</param>
    /// <param name="tagSize">Bytes of a tag.</param>
    /// <param name="sectorSize">Bytes that have one.</param>
    /// <param name="isNew">Whether it is to be formatted.</param>
    /// <param name="keyring">How the keyring's names of its keys start; null: their digits are in it.</param>
    internal static TableLine Line(string device, string? data, IntegrityFormat format, ulong sectors, int tagSize, int sectorSize, bool isNew, string? keyring)
    {
        bool bitmap = format.Mode == IntegrityMode.Bitmap;
        List<string> words = [];
        Add(isNew && format.JournalSize is not null, $"journal_sectors:{format.JournalSize / Sector.Size}");
        Add(bitmap && format.BitmapSectorsPerBit is not null, $"sectors_per_bit:{format.BitmapSectorsPerBit}");
        Add(!bitmap && format.JournalWatermark is not null, $"journal_watermark:{format.JournalWatermark}");
        Add(bitmap && format.BitmapFlushTime is not null, $"bitmap_flush_interval:{format.BitmapFlushTime}");
        Add(!bitmap && format.JournalCommitTime is not null, $"commit_time:{format.JournalCommitTime}");
        Add(isNew && format.InterleaveSectors is not null, $"interleave_sectors:{format.InterleaveSectors}");
        words.Add($"block_size:{sectorSize}");
        Add(format.BufferSectors is not null, $"buffer_sectors:{format.BufferSectors}");
        words.Add(format.Hash.Word("internal_hash", keyring));
        Add(format.JournalHash is not null, format.JournalHash?.Word("journal_mac", keyring));
        Add(format.JournalCipher is not null, format.JournalCipher?.Word("journal_crypt", keyring));
        words.AddRange(["fix_padding", "fix_hmac"]);
        Add(format.LegacyRecalculate, "legacy_recalculate");
        Add(!isNew && format.Recalculate, "recalculate");
        Add(!isNew && format.ResetRecalculate, "reset_recalculate");
        Add(!isNew && format.AllowDiscards, "allow_discards");
        Add(data is not null, $"meta_device:{device}");
        char mode = format.Mode switch
        {
            IntegrityMode.Bitmap => 'B',
            IntegrityMode.Direct => 'D',
            IntegrityMode.Recovery => 'R',
            _ => 'J',
        };
        string line = $"{data ?? device} 0 {tagSize} {mode} {words.Count} {string.Join(' ', words)}";
        return new TableLine(default, new SectorCount(sectors), "integrity", line);

        void Add(bool given, string? word)
        {
            if (given)
            {
                words.Add(word!);
            }
        }
    }

    private TableLine MakeLine(string? keyring) => Line(
        Word(_path), _format.DataDevice is { } data ? Word(data) : null, _format, Header.ProvidedSectors, Header.TagSize, Header.SectorSize, isNew: false, keyring);
}
