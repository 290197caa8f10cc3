using System.Globalization;
using System.Numerics;
using DeviceMapper.Cryptography;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Volumes.Integrity;

/// <summary>
/// Makes a volume as integritysetup does: the target itself formats a blank device, and tags come to be by writing zeroes through it. All that can be
/// refused is refused before the first write, but for what only the target knows.
/// </summary>
internal static class IntegrityFormatting
{
    private const uint LookedAt = 1 << 20; // bytes at the start that have to be zeroes
    private const uint LeastSectors = 8; // of a target that only formats

    private static long _number;

    /// <summary>Formats a device.</summary>
    public static void Format(string device, IntegrityFormat format, IProgress<ulong>? progress)
    {
        // The keys go past the tables' lines, whose strings cannot be wiped.
        string keyring = string.Create(CultureInfo.InvariantCulture, $"format-{Interlocked.Increment(ref _number)}-");
        try
        {
            foreach ((string description, SecretMemory key) in format.NamedKeys(keyring))
            {
                Keyring.Add(Keyring.Passed, description, key.Span);
            }

            Format(device, format, keyring, progress);
        }
        finally
        {
            foreach ((string description, _) in format.NamedKeys(keyring))
            {
                Keyring.Remove(Keyring.Passed, description);
            }
        }
    }

    private static void Format(string device, IntegrityFormat format, string keyring, IProgress<ulong>? progress)
    {
        int tagSize = format.NewTagSize();
        Require(tagSize is > 0 and <= 255, $"a tag has 1 to 255 bytes, not {tagSize}");
        Require(format.SectorSize is >= 512 and <= 4096 && BitOperations.IsPow2(format.SectorSize), $"512, 1024, 2048 or 4096 bytes have a tag, not {format.SectorSize}");
        Require(format.JournalSize is null or > 0 and <= (ulong)uint.MaxValue * Sector.Size, $"a journal has no {format.JournalSize} bytes");
        Require(format.DataDevice is null || !VolumeFile.AreSame(device, format.DataDevice), "data and tags have to be on two devices, or on one without the name of a second");
        Try(device, format, tagSize, keyring);
        using (FileStream stream = VolumeFile.OpenForWriting(device, mayBeNew: false))
        using (OpenFile claim = VolumeFile.Claim(device))
        {
            if (!format.Overwrite)
            {
                VolumeFile.RequireZeroes(stream, device, 0, Math.Min(LookedAt, VolumeFile.SizeOf(device)));
            }

            VolumeFile.WriteAt(stream, 0, new byte[IntegrityHeader.Size]);
            stream.Flush(flushToDisk: true);
        }

        using DeviceRegistry registry = new();
        string? data = format.DataDevice is null ? null : IntegrityVolume.Word(format.DataDevice);
        registry.Remove(registry.Create("format", LineOfNew(IntegrityVolume.Word(device), data, format, tagSize, keyring)));
        if (format.Wipe)
        {
            Wipe(registry, IntegrityVolume.Open(device, format with { Mode = IntegrityMode.Direct }), keyring, progress);
        }
    }

    /// <summary>Lets the target format memory of the same size, so that what it refuses is refused before anything is written.</summary>
    private static void Try(string device, IntegrityFormat format, int tagSize, string keyring)
    {
        using DeviceRegistry registry = new();
        string tags = StandIn(device), line = LineOfNew(tags, format.DataDevice is { } data ? StandIn(data) + "#data" : null, format, tagSize, keyring);
        registry.Remove(registry.Create("try", line));
    }

    private static string StandIn(string path) => $"mem:{VolumeFile.SizeOf(path) / Sector.Size * Sector.Size}";

    private static string LineOfNew(string device, string? data, IntegrityFormat format, int tagSize, string keyring) => IntegrityVolume.Line(
        device, data, format with { Mode = IntegrityMode.Journal }, LeastSectors, tagSize, format.SectorSize, isNew: true, keyring).ToString();

    private static void Wipe(DeviceRegistry registry, IntegrityVolume volume, string keyring, IProgress<ulong>? progress)
    {
        MappedDevice device = registry.Create("wipe", volume.TableLine(keyring).ToString());
        try
        {
            DeviceWipe.WriteZeroes(device, new SectorCount(volume.Header.ProvidedSectors), progress);
        }
        finally
        {
            registry.Remove(device);
        }
    }

    private static void Require(bool condition, string sentence)
    {
        if (!condition)
        {
            throw new DmException(Errno.EINVAL, sentence);
        }
    }
}
