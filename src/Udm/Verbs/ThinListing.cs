using DeviceMapper;
using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Volumes.Thin;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary><c>udm thin ls</c>: the devices of pools and volumes, or the volumes that one pool has.</summary>
internal static class ThinListing
{
    /// <summary>Prints pools and volumes that have a device.</summary>
    public static void ListDevices(VerbContext context)
    {
        IReadOnlyList<NamedDevice> devices = context.Devices.List();
        using JsonList? json = context.PrintsJson ? new JsonList(context.Out, "devices") : null;
        foreach (NamedDevice device in devices)
        {
            DeviceSelector selector = DeviceSelector.ByName(device.Name, context.Mangling);
            if (DeviceSetup.Only(context, selector, null, status: true) is not { Type: "thin" or "thin-pool" } status)
            {
                continue;
            }

            string pool = "-";
            string[] words = status.Text.Split(' ');
            string used = words[0];
            if (status.Type == "thin")
            {
                DeviceNumber number = ThinVerb.Volume(context, selector).Pool;
                pool = devices.FirstOrDefault(d => d.Number == number).Name ?? number.ToString();
                used = ulong.TryParse(words[0], out ulong sectors) ? $"{sectors / 2}" : words[0];
            }
            else if (words.Length > 2 && ulong.TryParse(words[2].Split('/')[0], out ulong blocks))
            {
                ulong block = ulong.Parse(TableParser.SplitWords(DeviceSetup.Only(context, selector, "thin-pool")!.Value.Text)[2]);
                used = $"{blocks * block / 2}";
            }

            if (json is null)
            {
                context.Out.WriteLine($"{device.Name}\t{pool}\t{status.Length.Value / 2}\t{used}");
                continue;
            }

            json.Writer.WriteStartObject();
            json.Writer.WriteString("name", device.Name);
            json.Writer.WriteString("type", status.Type);
            json.Writer.WriteString("pool", pool == "-" ? null : pool);
            json.Writer.WriteNumber("size_kib", status.Length.Value / 2);
            JsonValues.Write(json.Writer, "used_kib", long.TryParse(used, out long kib) ? kib : null);
            json.Writer.WriteEndObject();
        }
    }

    /// <summary>Prints the volumes of a pool, whether they have a device or not.</summary>
    public static void ListVolumes(VerbContext context, string poolName)
    {
        DeviceSelector pool = context.Select(poolName);
        TargetText target = DeviceSetup.Only(context, pool, "thin-pool") ?? throw new VerbException("it is no thin pool; 'udm thin ls' lists those there are");
        IReadOnlyList<string> words = TableParser.SplitWords(target.Text);
        IReadOnlyList<NamedDevice> devices = context.Devices.List();
        string path = PathOf(context, words[0], devices);
        ulong block = ulong.Parse(words[2]);
        ILookup<ulong, (string Name, SectorCount Size)> shown = ShownVolumes(context, pool, devices);
        IReadOnlyList<VolumeUse> volumes = Read(context, pool, path);
        using JsonList? json = context.PrintsJson ? new JsonList(context.Out, "volumes") : null;
        foreach (VolumeUse volume in volumes)
        {
            List<(string Name, SectorCount Size)> names = [.. shown[volume.Id]];
            ulong? size = names.Count == 0 ? null : names.Max(n => n.Size.Value) / 2;
            if (json is null)
            {
                string name = names.Count == 0 ? "-" : string.Join(',', names.Select(n => n.Name));
                context.Out.WriteLine($"{volume.Id}\t{name}\t{size?.ToString() ?? "-"}\t{volume.Mapped * block / 2}\t{volume.Exclusive * block / 2}");
                continue;
            }

            json.Writer.WriteStartObject();
            json.Writer.WriteNumber("id", volume.Id);
            json.Writer.WriteStartArray("names");
            names.ForEach(n => json.Writer.WriteStringValue(n.Name));
            json.Writer.WriteEndArray();
            JsonValues.Write(json.Writer, "size_kib", (long?)size);
            json.Writer.WriteNumber("used_kib", volume.Mapped * block / 2);
            json.Writer.WriteNumber("exclusive_kib", volume.Exclusive * block / 2);
            json.Writer.WriteEndObject();
        }
    }

    /// <summary>Reads the metadata, which the pool leaves alone meanwhile: by a metadata snapshot, or because it is only read.</summary>
    private static IReadOnlyList<VolumeUse> Read(VerbContext context, DeviceSelector pool, string path)
    {
        bool snapshot = true;
        try
        {
            context.Devices.Message(pool, default, "reserve_metadata_snap", DmFlags.None);
        }
        catch (DmException e) when (e.Errno == Errno.EOPNOTSUPP)
        {
            snapshot = false;
        }
        catch (DmException e) when (e.Errno == Errno.EBUSY)
        {
            throw new VerbException("it keeps a metadata snapshot already, which another program may be reading; the message release_metadata_snap ends that");
        }

        try
        {
            using ThinPoolMetadata metadata = ThinPoolMetadata.OpenInUse(path, snapshot);
            IReadOnlyList<VolumeUse> volumes = metadata.Uses();
            return metadata.Damage.Count == 0 ? volumes : throw new DmException(
                Errno.EILSEQ, $"the metadata is damaged: {metadata.Damage[0]}; remove the pool's devices, then 'udm thin check {path}' says more");
        }
        finally
        {
            if (snapshot)
            {
                context.Devices.Message(pool, default, "release_metadata_snap", DmFlags.None);
            }
        }
    }

    private static ILookup<ulong, (string Name, SectorCount Size)> ShownVolumes(VerbContext context, DeviceSelector pool, IReadOnlyList<NamedDevice> devices)
    {
        DeviceNumber number = context.Devices.Find(pool, DmFlags.None)?.Number ?? throw new VerbException("there is no such device");
        List<(ulong Id, string Name, SectorCount Size)> volumes = [];
        foreach (NamedDevice device in devices)
        {
            DeviceSelector selector = DeviceSelector.ByName(device.Name, context.Mangling);
            if (DeviceSetup.Only(context, selector, "thin") is not null)
            {
                (DeviceNumber its, ulong id, SectorCount size) = ThinVerb.Volume(context, selector);
                if (its == number)
                {
                    volumes.Add((id, device.Name, size));
                }
            }
        }

        return volumes.ToLookup(v => v.Id, v => (v.Name, v.Size));
    }

    /// <summary>A path by which the metadata device can be read.</summary>
    private static string PathOf(VerbContext context, string word, IReadOnlyList<NamedDevice> devices)
    {
        if (ThinGrowth.FileOf(word) is { } file)
        {
            return file;
        }

        if (!DeviceNumber.TryParse(word, out DeviceNumber number))
        {
            return word.StartsWith('/') ? word : throw new VerbException($"its metadata is on '{word}', which this command cannot read");
        }

        string? name = devices.FirstOrDefault(d => d.Number == number).Name;
        return name is not null ? Path.Combine(context.Run.Mapper, name)
            : new DirectoryInfo($"/sys/dev/block/{number}").ResolveLinkTarget(returnFinalTarget: true) is { } disk ? $"/dev/{disk.Name}"
            : throw new VerbException($"its metadata is on the device {number}, which has no name here");
    }
}
