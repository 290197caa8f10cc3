using DeviceMapper;
using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;

namespace Udm.Verbs;

/// <summary>What verbs need that set up several devices: make one with a table, remove one, replace a table, read the one target of a device.</summary>
internal static class DeviceSetup
{
    /// <summary>Makes a device of one target: all, or nothing.</summary>
    /// <param name="context">The verb's surroundings.</param>
    /// <param name="device">Its name.</param>
    /// <param name="line">Its table.</param>
    /// <param name="uuid">Its uuid, or none.</param>
    /// <param name="flags">Of the load.</param>
    /// <param name="beforeLoad">What the load needs, such as a key.</param>
    public static void Make(
        VerbContext context, DeviceSelector device, TableLine line, string? uuid = null, DmFlags flags = DmFlags.None, Action<DeviceClient>? beforeLoad = null)
    {
        context.Devices.Create(device, uuid, null, 0);
        try
        {
            beforeLoad?.Invoke(context.Devices);
            context.Devices.Load(device, [line], flags);
            context.Devices.Resume(device, DmFlags.None);
        }
        catch (DmException)
        {
            context.Devices.Remove(device, DmFlags.None);
            throw;
        }
    }

    /// <summary>Removes a device of one target.</summary>
    /// <param name="context">The verb's surroundings.</param>
    /// <param name="name">Its name.</param>
    /// <param name="type">What its target must be.</param>
    /// <param name="volume">What such a device is to people.</param>
    /// <exception cref="VerbException">It is something else.</exception>
    public static void Close(VerbContext context, string name, string type, string volume)
    {
        DeviceSelector device = context.Select(name);
        if (Only(context, device, type) is null)
        {
            throw new VerbException($"it is no {volume}: its table is another than one line of {type}");
        }

        context.Devices.Remove(device, DmFlags.None);
    }

    /// <summary>Replaces a device's table by one of one target; I/O waits meanwhile.</summary>
    public static void Replace(VerbContext context, DeviceSelector device, TableLine line)
    {
        context.Devices.Load(device, [line], DmFlags.None);
        try
        {
            context.Devices.Resume(device, DmFlags.None);
        }
        catch (DmException)
        {
            context.Devices.Resume(device, DmFlags.None); // goes on with the table that is live
            throw;
        }
    }

    /// <summary>The only target of a device, with its arguments or its status.</summary>
    /// <param name="context">The verb's surroundings.</param>
    /// <param name="device">Which.</param>
    /// <param name="type">What it must be; any if null.</param>
    /// <param name="status">The status in place of the arguments.</param>
    /// <returns>Null where it has another number of targets, or one of another type.</returns>
    public static TargetText? Only(VerbContext context, DeviceSelector device, string? type, bool status = false)
    {
        IReadOnlyList<TargetText> targets = context.Devices.Targets(device, status ? DmFlags.None : DmFlags.StatusTable).Targets;
        return targets.Count == 1 && (type is null || targets[0].Type == type) ? targets[0] : null;
    }

    /// <summary>Reads a size: a number of bytes with K, M, G or T, in whole sectors.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public static SectorCount Size(string word)
    {
        int unit = word.Length == 0 ? -1 : "KMGT".IndexOf(char.ToUpperInvariant(word[^1]));
        string digits = unit < 0 ? word : word[..^1];
        return ulong.TryParse(digits, out ulong number) && number > 0 && number < 1ul << 40 && ((number << ((unit + 1) * 10)) % Sector.Size) == 0
            ? SectorCount.FromBytes(number << ((unit + 1) * 10))
            : throw new UsageException($"'{word}' is not a size, as 64M: bytes with K, M, G or T, a multiple of 512");
    }
}
