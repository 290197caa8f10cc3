using DeviceMapper;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace Udm.Verbs;

/// <summary><c>udm thin grow</c>, and how large a pool's parts are made.</summary>
internal static class ThinGrowth
{
    private const ulong MetadataBytesPerBlock = 64; // of the data: a mapping, with room for snapshots
    private const ulong LeastMetadata = 4 << 20; // bytes
    private const ulong MetadataUnit = 4096; // bytes
    private const ulong LowWaterShare = 10; // an event when a tenth of the blocks is left

    /// <summary>The metadata for so many blocks of data.</summary>
    public static SectorCount MetadataFor(ulong blocks) =>
        SectorCount.FromBytes(Math.Max(LeastMetadata, ((blocks * MetadataBytesPerBlock) + MetadataUnit - 1) / MetadataUnit * MetadataUnit));

    /// <summary>Free blocks at which a pool of so many raises its event.</summary>
    public static ulong LowWaterFor(ulong blocks) => blocks / LowWaterShare;

    /// <summary>Makes a volume or a pool larger, while it is in use.</summary>
    public static void Grow(VerbContext context, string name, SectorCount size, SectorCount? metadataSize)
    {
        DeviceSelector device = context.Select(name);
        TargetText target = DeviceSetup.Only(context, device, null) ?? throw new VerbException("it is neither a thin pool nor a volume of one");
        if (target.Type is not ("thin" or "thin-pool"))
        {
            throw new VerbException($"it is neither a thin pool nor a volume of one: its target is {target.Type}");
        }

        if (size < target.Length)
        {
            throw new VerbException($"it has {target.Length.Bytes >> 10} KiB already: neither pools nor volumes are made smaller");
        }

        if (target.Type == "thin-pool")
        {
            GrowPool(context, device, target, size, metadataSize);
        }
        else if (metadataSize is null)
        {
            DeviceSetup.Replace(context, device, new TableLine(default, size, "thin", target.Text));
        }
        else
        {
            throw new VerbException("it is a volume: only pools have metadata that could grow");
        }
    }

    private static void GrowPool(VerbContext context, DeviceSelector pool, TargetText target, SectorCount size, SectorCount? metadataSize)
    {
        List<string> words = [.. TableParser.SplitWords(target.Text)];
        ulong block = ulong.Parse(words[2]);
        (ulong before, ulong after) = (target.Length.Value / block, size.Value / block);
        size = new SectorCount(Math.Max(after * block, target.Length.Value));
        string? metadataFile = FileOf(words[0]), dataFile = FileOf(words[1]);
        if (metadataSize is { } asked && metadataFile is null)
        {
            throw new VerbException($"its metadata is on {words[0]}, which is no file: make that {asked.Bytes >> 10} KiB large first, then grow the pool without METADATASIZE");
        }

        if (metadataSize is { } wanted && metadataFile is not null && wanted.Bytes < (ulong)new FileInfo(metadataFile).Length)
        {
            throw new VerbException($"its metadata has {new FileInfo(metadataFile).Length >> 10} KiB already: it is not made smaller");
        }

        Extend(dataFile, size);
        Extend(metadataFile, metadataSize ?? MetadataFor(after));
        if (words[3] == $"{LowWaterFor(before)}")
        {
            words[3] = $"{LowWaterFor(after)}";
        }

        DeviceSetup.Replace(context, pool, new TableLine(default, size, "thin-pool", string.Join(' ', words.Select(TableParser.EscapeWord))));
    }

    /// <summary>The path of a word of a table that names a regular file; else null.</summary>
    public static string? FileOf(string word)
    {
        const string Scheme = "file:";
        string path = word.StartsWith(Scheme, StringComparison.Ordinal) ? word[Scheme.Length..].Split('?')[0] : word;
        return path.StartsWith('/') && File.Exists(path) && (File.GetAttributes(path) & FileAttributes.Device) == 0 ? path : null;
    }

    private static void Extend(string? path, SectorCount size)
    {
        if (path is null)
        {
            return;
        }

        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
            if ((ulong)file.Length < size.Bytes)
            {
                file.SetLength((long)size.Bytes);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VerbException($"'{path}' cannot be made larger: {e.Message}");
        }
    }
}
