using System.Globalization;
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

    /// <inheritdoc/>
    public override string Name => "thin";

    /// <inheritdoc/>
    public override string Usage =>
        """
        pool NAME FOLDER SIZE
        create POOL NAME SIZE
        open POOL ID NAME SIZE
        snapshot VOLUME NAME
        grow VOLUME SIZE
        grow POOL SIZE [METADATASIZE]
        remove VOLUME
        ls [--json]
        ls POOL [--json]
        check METADATA [--json]
        dump METADATA
        repair METADATA NEWFILE [--json]
        clear METADATA
        """;

    /// <inheritdoc/>
    public override string Summary => "Makes thin pools, volumes and snapshots of volumes, grows and lists them, and checks and repairs a pool's metadata.";

    /// <inheritdoc/>
    public override string Help =>
        """
          pool      makes a pool on two files, FOLDER/NAME.meta and FOLDER/NAME.data; files that are there are used
          create    makes a volume in a pool; it takes room as it is written to, and may be larger than the pool
          open      makes a device of a volume that the pool has already, by its number
          snapshot  makes a volume that is what another is now, at once
          grow      makes a volume or a pool larger while it is in use. A pool's files grow with it, the metadata's by what the data needs
                    unless METADATASIZE says how large it is to be; devices that are not files must have grown before
          remove    removes a volume's device and deletes the volume
          ls        (or list) prints a line a pool or volume, separated by tabs: its name, its pool, its size and what it uses in KiB
          ls POOL   prints a line a volume of the pool, whether a device shows it or not: its number, its devices, their size, what it has and
                    what it alone has in KiB. The pool keeps a metadata snapshot meanwhile; all mappings are read

        And on METADATA, the file or block device of a pool that is not in use; -v shows how far they are:

          check     reads all of it; prints what is damaged, a line each, and which command comes next. Writes nothing
          dump      prints its volumes and mappings as thin_dump does; thin_restore takes that. Writes nothing
          repair    writes what can be read to NEWFILE, which must not be there yet; prints what is lost
          clear     takes the mark needs_check away if a check finds nothing, so that the pool may be written to again

        SIZE is a number of bytes with K, M, G or T.

        Example:
          udm thin pool pool . 10G && udm thin create pool data 100G && udm thin snapshot data before
          udm thin grow pool 20G && udm thin ls pool
        """;

    /// <inheritdoc/>
    public override int MinOperands => 1;

    /// <inheritdoc/>
    public override int MaxOperands => 5;

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
            case ["open", string pool, string id, string name, string size]:
                OpenVolume(context, pool, id, name, DeviceSetup.Size(size));
                break;
            case ["snapshot", string volume, string name]:
                MakeSnapshot(context, volume, name);
                break;
            case ["grow", string name, string size]:
                ThinGrowth.Grow(context, name, DeviceSetup.Size(size), null);
                break;
            case ["grow", string name, string size, string metadataSize]:
                ThinGrowth.Grow(context, name, DeviceSetup.Size(size), DeviceSetup.Size(metadataSize));
                break;
            case ["remove", string volume]:
                Remove(context, volume);
                break;
            case ["ls" or "list"]:
                ThinListing.ListDevices(context);
                break;
            case ["ls" or "list", string pool]:
                ThinListing.ListVolumes(context, pool);
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
                    "one of 'pool', 'create', 'open', 'snapshot', 'grow', 'remove', 'ls', 'check', 'dump', 'repair' and 'clear', with its operands, is expected");
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

        string files = TableParser.EscapeWord($"file:{folder}/{name}.meta?size={ThinGrowth.MetadataFor(blocks).Bytes}") + " " + TableParser.EscapeWord($"file:{folder}/{name}.data?size={blocks * BlockSectors * Sector.Size}");
        TableLine line = new(default, new SectorCount(blocks * BlockSectors), "thin-pool", $"{files} {BlockSectors} {ThinGrowth.LowWaterFor(blocks)}");
        DeviceSetup.Make(context, context.Select(name), line);
    }

    private static void MakeVolume(VerbContext context, string poolName, string name, SectorCount size)
    {
        DeviceSelector pool = context.Select(poolName);
        if (DeviceSetup.Only(context, pool, "thin-pool") is null)
        {
            throw new VerbException("it is no thin pool; 'udm thin ls' lists those there are");
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

    private static void OpenVolume(VerbContext context, string poolName, string id, string name, SectorCount size)
    {
        DeviceSelector pool = context.Select(poolName);
        if (DeviceSetup.Only(context, pool, "thin-pool") is null)
        {
            throw new VerbException("it is no thin pool; 'udm thin ls' lists those there are");
        }

        ulong number = ulong.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out ulong parsed)
            ? parsed
            : throw new UsageException($"'{id}' is not the number of a volume; 'udm thin ls {poolName}' lists those of the pool");
        DeviceNumber device = Number(context, pool);
        try
        {
            DeviceSetup.Make(context, context.Select(name), new TableLine(default, size, "thin", $"{device} {number}"));
        }
        catch (DmException refusal) when (refusal.Errno == Errno.ENODATA)
        {
            throw new DmException(refusal.Errno, $"{refusal.Message}; 'udm thin ls {poolName}' lists those that it has", refusal);
        }
    }

    private static void Remove(VerbContext context, string volumeName)
    {
        DeviceSelector volume = context.Select(volumeName);
        (DeviceNumber pool, ulong id, _) = Volume(context, volume);
        context.Devices.Remove(volume, DmFlags.None);
        context.Devices.Message(DeviceSelector.ByNumber(pool), default, $"delete {id}", DmFlags.None);
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

    internal static (DeviceNumber Pool, ulong Id, SectorCount Size) Volume(VerbContext context, DeviceSelector volume)
    {
        TargetText target = DeviceSetup.Only(context, volume, "thin") ?? throw new VerbException("it is no volume of a thin pool; 'udm thin ls' lists those there are, 'udm remove' removes any device");
        IReadOnlyList<string> words = TableParser.SplitWords(target.Text);
        return DeviceNumber.TryParse(words[0], out DeviceNumber pool) && ulong.TryParse(words[1], out ulong id)
            ? (pool, id, target.Length)
            : throw new VerbException($"its table cannot be read: '{target.Text}'");
    }
}
