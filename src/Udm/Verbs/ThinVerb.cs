using DeviceMapper;
using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Thin pools and their volumes, without table lines and numbers.</summary>
internal sealed class ThinVerb : Verb
{
    private const ulong BlockSectors = 128;
    private const ulong MetadataBytesPerBlock = 64; // of the data: a mapping, with room for snapshots
    private const ulong LeastMetadata = 4 << 20; // bytes
    private const int LowWaterShare = 10; // an event when a tenth of the blocks is left

    /// <inheritdoc/>
    public override string Name => "thin";

    /// <inheritdoc/>
    public override string Usage =>
        """
        pool NAME FOLDER SIZE
        create POOL NAME SIZE
        snapshot VOLUME NAME
        grow VOLUME SIZE
        remove VOLUME
        ls [--json]
        check METADATA
        dump METADATA
        repair METADATA NEWFILE
        clear METADATA
        """;

    /// <inheritdoc/>
    public override string Summary => "Makes thin pools, volumes and snapshots of volumes, lists them, and checks and repairs a pool's metadata.";

    /// <inheritdoc/>
    public override string Help =>
        """
          pool      makes a pool on two files, FOLDER/NAME.meta and FOLDER/NAME.data; files that are there are used
          create    makes a volume in a pool; it takes room as it is written to, and may be larger than the pool
          snapshot  makes a volume that is what another is now, at once
          grow      makes a volume larger
          remove    removes a volume's device and deletes the volume
          ls        (or list) prints a line a pool or volume, separated by tabs: its name, its pool, its size and what it uses in KiB

        And on METADATA, the file or block device of a pool that is not in use; -v shows how far they are:

          check     reads all of it; prints what is damaged, a line each, and which command comes next. Writes nothing
          dump      prints its volumes and mappings as thin_dump does; thin_restore takes that. Writes nothing
          repair    writes what can be read to NEWFILE, which must not be there yet; prints what is lost
          clear     takes the mark needs_check away if a check finds nothing, so that the pool may be written to again

        SIZE is a number of bytes with K, M, G or T.

        Example:
          udm thin pool pool . 10G && udm thin create pool data 100G && udm thin snapshot data before
        """;

    /// <inheritdoc/>
    public override int MinOperands => 1;

    /// <inheritdoc/>
    public override int MaxOperands => 4;

    /// <inheritdoc/>
    public override int WrongUsageStatus => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        switch (context.Operands)
        {
            case ["pool", string name, string folder, string size]:
                MakePool(context, name, Path.GetFullPath(folder), DeviceSetup.Size(size));
                break;
            case ["create", string pool, string name, string size]:
                MakeVolume(context, pool, name, DeviceSetup.Size(size));
                break;
            case ["snapshot", string volume, string name]:
                MakeSnapshot(context, volume, name);
                break;
            case ["grow", string volume, string size]:
                Grow(context, volume, DeviceSetup.Size(size));
                break;
            case ["remove", string volume]:
                Remove(context, volume);
                break;
            case ["ls" or "list"]:
                List(context);
                break;
            case ["check", string metadata]:
                ThinMetadataVerbs.Check(context, metadata);
                break;
            case ["dump", string metadata]:
                ThinMetadataVerbs.Dump(context, metadata);
                break;
            case ["repair", string metadata, string newFile]:
                ThinMetadataVerbs.Repair(context, metadata, newFile);
                break;
            case ["clear", string metadata]:
                ThinMetadataVerbs.Clear(context, metadata);
                break;
            default:
                throw new UsageException(
                    "one of 'pool', 'create', 'snapshot', 'grow', 'remove', 'ls', 'check', 'dump', 'repair' and 'clear', with its operands, is expected");
        }

        return 0;
    }

    private static void MakePool(VerbContext context, string name, string folder, SectorCount size)
    {
        ulong blocks = size.Value / BlockSectors;
        if (blocks == 0)
        {
            throw new UsageException("a pool has at least one block of 64K");
        }

        ulong metadata = Math.Max(LeastMetadata, (blocks * MetadataBytesPerBlock + 4095) / 4096 * 4096);
        string files = TableParser.EscapeWord($"file:{folder}/{name}.meta?size={metadata}") + " " + TableParser.EscapeWord($"file:{folder}/{name}.data?size={blocks * BlockSectors * Sector.Size}");
        TableLine line = new(default, new SectorCount(blocks * BlockSectors), "thin-pool", $"{files} {BlockSectors} {blocks / LowWaterShare}");
        DeviceSetup.Make(context, context.Select(name), line);
    }

    private static void MakeVolume(VerbContext context, string poolName, string name, SectorCount size)
    {
        DeviceSelector pool = context.Select(poolName);
        if (DeviceSetup.Only(context, pool, "thin-pool") is null)
        {
            throw new VerbException("it is no thin pool");
        }

        ulong id = TakeId(context, pool, id => $"create_thin {id}");
        MakeDevice(context, pool, Number(context, pool), name, id, size);
    }

    private static void MakeSnapshot(VerbContext context, string volumeName, string name)
    {
        DeviceSelector volume = context.Select(volumeName);
        (DeviceNumber number, ulong originId, SectorCount size) = Volume(context, volume);
        DeviceSelector pool = DeviceSelector.ByNumber(number);
        ulong id;
        context.Devices.Suspend(volume, DmFlags.None);
        try
        {
            id = TakeId(context, pool, id => $"create_snap {id} {originId}");
        }
        finally
        {
            context.Devices.Resume(volume, DmFlags.None);
        }

        MakeDevice(context, pool, number, name, id, size);
    }

    private static void Grow(VerbContext context, string volumeName, SectorCount size)
    {
        DeviceSelector volume = context.Select(volumeName);
        TargetText target = DeviceSetup.Only(context, volume, "thin") ?? throw new VerbException("it is no volume of a thin pool");
        if (size < target.Length)
        {
            throw new VerbException($"it has {target.Length.Bytes >> 10} KiB already: a volume is not made smaller");
        }

        DeviceSetup.Replace(context, volume, new TableLine(default, size, "thin", target.Text));
    }

    private static void Remove(VerbContext context, string volumeName)
    {
        DeviceSelector volume = context.Select(volumeName);
        (DeviceNumber pool, ulong id, _) = Volume(context, volume);
        context.Devices.Remove(volume, DmFlags.None);
        context.Devices.Message(DeviceSelector.ByNumber(pool), default, $"delete {id}", DmFlags.None);
    }

    private static void List(VerbContext context)
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
                DeviceNumber number = Volume(context, selector).Pool;
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

    /// <summary>The lowest number that no volume has, by making one of it.</summary>
    private static ulong TakeId(VerbContext context, DeviceSelector pool, Func<ulong, string> message)
    {
        for (ulong id = 0; ; id++)
        {
            try
            {
                context.Devices.Message(pool, default, message(id), DmFlags.None);
                return id;
            }
            catch (DmException refusal) when (refusal.Errno == Errno.EEXIST)
            {
                // The next one, then.
            }
        }
    }

    private static void MakeDevice(VerbContext context, DeviceSelector pool, DeviceNumber number, string name, ulong id, SectorCount size)
    {
        try
        {
            DeviceSetup.Make(context, context.Select(name), new TableLine(default, size, "thin", $"{number} {id}"));
        }
        catch (DmException)
        {
            context.Devices.Message(pool, default, $"delete {id}", DmFlags.None);
            throw;
        }
    }

    private static DeviceNumber Number(VerbContext context, DeviceSelector device) =>
        context.Devices.Find(device, DmFlags.None)?.Number ?? throw new VerbException("there is no such device");

    private static (DeviceNumber Pool, ulong Id, SectorCount Size) Volume(VerbContext context, DeviceSelector volume)
    {
        TargetText target = DeviceSetup.Only(context, volume, "thin") ?? throw new VerbException("it is no volume of a thin pool");
        IReadOnlyList<string> words = TableParser.SplitWords(target.Text);
        return DeviceNumber.TryParse(words[0], out DeviceNumber pool) && ulong.TryParse(words[1], out ulong id)
            ? (pool, id, target.Length)
            : throw new VerbException($"its table cannot be read: '{target.Text}'");
    }
}
