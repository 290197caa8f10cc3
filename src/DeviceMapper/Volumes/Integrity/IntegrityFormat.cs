using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Native;

namespace DeviceMapper.Volumes.Integrity;

/// <summary>
/// What a new integrity volume shall be like, as integritysetup would make it, and how it is opened: its superblock says sizes, but neither hashes nor keys.
/// </summary>
public sealed record IntegrityFormat
{
    /// <summary>What makes the tags.</summary>
    public IntegrityKey Hash { get; init; } = new("crc32c");

    /// <summary>Bytes of a tag of a new volume; null: all that the hash makes.</summary>
    public int? TagSize { get; init; }

    /// <summary>Bytes that have one tag, of a new volume.</summary>
    public int SectorSize { get; init; } = 512;

    /// <summary>Bytes of a new volume's journal; null: a 128th of the device, at most 64 MiB.</summary>
    public ulong? JournalSize { get; init; }

    /// <summary>Sectors of data between runs of tags, of a new volume; null: 32768.</summary>
    public uint? InterleaveSectors { get; init; }

    /// <summary>Sectors of a buffer of tags.</summary>
    public uint? BufferSectors { get; init; }

    /// <summary>The mode in which it is opened.</summary>
    public IntegrityMode Mode { get; init; }

    /// <summary>How full the journal may be before it is written back, in percent.</summary>
    public uint? JournalWatermark { get; init; }

    /// <summary>When the journal is committed at the latest, in ms.</summary>
    public uint? JournalCommitTime { get; init; }

    /// <summary>Sectors of a bit of <see cref="IntegrityMode.Bitmap"/>.</summary>
    public uint? BitmapSectorsPerBit { get; init; }

    /// <summary>When bits are cleared at the earliest, in ms.</summary>
    public uint? BitmapFlushTime { get; init; }

    /// <summary>What authenticates the journal.</summary>
    public IntegrityKey? JournalHash { get; init; }

    /// <summary>What encrypts the journal.</summary>
    public IntegrityKey? JournalCipher { get; init; }

    /// <summary>Whether discards are taken.</summary>
    public bool AllowDiscards { get; init; }

    /// <summary>Makes the tags of what is on the device, where that was not done yet.</summary>
    public bool Recalculate { get; init; }

    /// <summary>Makes all tags anew.</summary>
    public bool ResetRecalculate { get; init; }

    /// <summary>Makes tags of a keyed hash too, although whoever can write to the device could have his data taken for good.</summary>
    public bool LegacyRecalculate { get; init; }

    /// <summary>The path of a file or device that has the data alone; null: it is beside the tags.</summary>
    public string? DataDevice { get; init; }

    /// <summary>Whether a new volume shall have tags for what is on the device: all of it is overwritten with zeroes. Else what was not written cannot be read.</summary>
    public bool Wipe { get; init; } = true;

    /// <summary>Whether what is there already may be overwritten; else the start of the device has to be zeroes.</summary>
    public bool Overwrite { get; init; }

    /// <summary>The keys, by the names that <see cref="IntegrityVolume.TableLine(string)"/> has for them.</summary>
    /// <param name="keyring">How the names start.</param>
    public IEnumerable<(string Description, SecretMemory Key)> NamedKeys(string keyring)
    {
        foreach ((string option, IntegrityKey? key) in new[] { ("internal_hash", Hash), ("journal_mac", JournalHash), ("journal_crypt", JournalCipher) })
        {
            if (key?.Key is { } bytes)
            {
                yield return (keyring + option, bytes);
            }
        }
    }

    /// <summary>Bytes of a tag of a new volume.</summary>
    /// <exception cref="DmException">ENOENT: there is no such hash. ENOKEY, ENOSYS, EINVAL: the key is missing, or does not fit.</exception>
    internal int NewTagSize()
    {
        using Digest digest = Hash.Key is { } key ? Digest.Create(Hash.KernelName, key.Span)
            : Digest.NeedsKey(Hash.KernelName) ? throw new DmException(Errno.ENOKEY, $"the hash '{Hash.Name}' needs a key")
            : Digest.Create(Hash.KernelName);
        return TagSize ?? digest.Size;
    }
}
