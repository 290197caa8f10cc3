using DeviceMapper;
using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace Udm.Verbs;

/// <summary>A listed mapped device, its name as a user is shown it.</summary>
internal readonly record struct NamedDevice(string Name, DeviceNumber Number);

/// <summary>The dm ioctls as the verbs need them: names in the user's form, answers as records. What libdm is for dmsetup.</summary>
/// <param name="control">Takes the ioctls.</param>
/// <param name="mangling">How names and uuids are mangled.</param>
/// <param name="warn">Told each warning of the daemon.</param>
internal sealed class DeviceClient(IControl control, ManglingMode mangling, Action<string> warn)
{
    /// <summary>How many devices are asked about at once.</summary>
    public const int DevicesAtOnce = 256;

    private const int RoomOfMany = 1024; // bytes for each answer of AskAhead; a larger one is asked for again

    private readonly Dictionary<(DmCommand Command, DeviceSelector Device, DmFlags Flags), DmOutcome> _ahead = [];

    /// <summary>How names and uuids are mangled.</summary>
    public ManglingMode Mangling => mangling;

    /// <summary>The version of the interface.</summary>
    public DmVersion Version() => Call(DmCommand.Version, new DmIoctl()).Version;

    /// <summary>All devices, by name in byte order.</summary>
    public IReadOnlyList<NamedDevice> List() =>
        [.. NameList.Read(Call(DmCommand.ListDevices, new DmIoctl())).Select(device => new NamedDevice(NameMangling.FromDaemon(device.Name, "name", mangling), device.Number))];

    /// <summary>The target types.</summary>
    public IReadOnlyList<ListedTargetType> TargetTypes() => TargetVersions.Read(Call(DmCommand.ListVersions, new DmIoctl()));

    /// <summary>The version of one target type.</summary>
    public ListedTargetType TargetType(string name) =>
        TargetVersions.Read(Call(DmCommand.GetTargetVersion, new DmIoctl { Name = name }))[0];

    /// <summary>What a device is like; null if there is none.</summary>
    public DeviceInfo? Find(DeviceSelector device, DmFlags flags)
    {
        try
        {
            return Info(Ask(DmCommand.DevStatus, device, flags));
        }
        catch (DmException refusal) when (refusal.Errno == Errno.ENXIO)
        {
            return null;
        }
    }

    /// <summary>Makes a device without a table.</summary>
    public DeviceInfo Create(DeviceSelector name, string? uuid, uint? minor, uint major)
    {
        DmIoctl request = Request(name, DmFlags.None);
        request.Uuid = uuid ?? "";
        if (minor is not null)
        {
            request.Flags |= DmFlags.PersistentDev;
            request.Device = new DeviceNumber(major, minor.Value);
        }

        return Info(Call(DmCommand.DevCreate, request));
    }

    /// <summary>Gives a key that the next table or message names, as <c>:32:logon:DESCRIPTION</c>.</summary>
    public void GiveKey(string type, string description, ReadOnlySpan<byte> key) => control.GiveKey(type, description, key);

    /// <summary>Builds a table in the inactive slot.</summary>
    public DeviceInfo Load(DeviceSelector device, IReadOnlyList<TableLine> lines, DmFlags flags)
    {
        DmIoctl request = DmIoctl.WithPayload(TargetSpecs.WriteTable(lines));
        Fill(request, device, flags);
        request.TargetCount = (uint)lines.Count;
        return Info(Call(DmCommand.TableLoad, request));
    }

    /// <summary>Destroys the inactive table.</summary>
    public DeviceInfo Clear(DeviceSelector device, DmFlags flags) => Info(Call(DmCommand.TableClear, Request(device, flags)));

    /// <summary>Suspends.</summary>
    public DeviceInfo Suspend(DeviceSelector device, DmFlags flags) => Info(Call(DmCommand.DevSuspend, Request(device, flags | DmFlags.Suspend)));

    /// <summary>Resumes.</summary>
    public DeviceInfo Resume(DeviceSelector device, DmFlags flags) => Info(Call(DmCommand.DevSuspend, Request(device, flags)));

    /// <summary>Sets the read-ahead.</summary>
    public DeviceInfo SetReadAhead(DeviceSelector device, uint sectors)
    {
        DmIoctl request = Request(device, DmFlags.SetReadAhead);
        request.ReadAhead = sectors;
        return Info(Call(DmCommand.DevStatus, request));
    }

    /// <summary>Removes a device.</summary>
    public void Remove(DeviceSelector device, DmFlags flags) => Call(DmCommand.DevRemove, Request(device, flags));

    /// <summary>Removes all devices that are not open.</summary>
    public void RemoveAll(DmFlags flags) => Call(DmCommand.RemoveAll, new DmIoctl { Flags = flags });

    /// <summary>Renames a device, or, with <see cref="DmFlags.Uuid"/>, gives it a uuid.</summary>
    /// <param name="device">Which.</param>
    /// <param name="newText">The name or uuid, in the daemon's form.</param>
    /// <param name="flags">Flags.</param>
    public void Rename(DeviceSelector device, string newText, DmFlags flags)
    {
        DmIoctl request = DmIoctl.WithPayload([.. System.Text.Encoding.UTF8.GetBytes(newText), 0]);
        Fill(request, device, flags);
        Call(DmCommand.DevRename, request);
    }

    /// <summary>Sets the geometry: cylinders, heads, sectors and start, as decimal words.</summary>
    public void SetGeometry(DeviceSelector device, string geometry, DmFlags flags)
    {
        DmIoctl request = DmIoctl.WithPayload([.. System.Text.Encoding.UTF8.GetBytes(geometry), 0]);
        Fill(request, device, flags);
        Call(DmCommand.DevSetGeometry, request);
    }

    /// <summary>Sends a message.</summary>
    /// <returns>The answer; null without one.</returns>
    public string? Message(DeviceSelector device, Sector sector, string message, DmFlags flags)
    {
        DmIoctl request = DmIoctl.WithPayload(TargetMessage.Write(sector, message));
        Fill(request, device, flags);
        return TargetMessage.ReadAnswer(Call(DmCommand.TargetMessage, request));
    }

    /// <summary>The targets of a table: their status, or, with <see cref="DmFlags.StatusTable"/>, their arguments.</summary>
    public (DeviceInfo Device, IReadOnlyList<TargetText> Targets) Targets(DeviceSelector device, DmFlags flags)
    {
        DmIoctl answer = Ask(DmCommand.TableStatus, device, flags);
        return (Info(answer), TargetSpecs.ReadStatus(answer));
    }

    /// <summary>The devices of a table, with their names.</summary>
    public (DeviceInfo Device, IReadOnlyList<ListedDependency> Dependencies) Dependencies(DeviceSelector device, DmFlags flags)
    {
        DmIoctl answer = Ask(DmCommand.TableDeps, device, flags | DmFlags.DependencyNames);
        return (Info(answer), TargetDependencies.Read(answer));
    }

    /// <summary>Waits until a device's event number differs.</summary>
    public DeviceInfo Wait(DeviceSelector device, uint eventNumber, DmFlags flags)
    {
        DmIoctl request = Request(device, flags);
        request.EventNumber = eventNumber;
        return Info(Call(DmCommand.DevWait, request));
    }

    /// <summary>
    /// Asks about many devices at once: <see cref="Find"/> (DM_DEV_STATUS), <see cref="Targets"/> (DM_TABLE_STATUS) or
    /// <see cref="Dependencies"/> (DM_TABLE_DEPS). Each answer is kept until it is asked for, once, with the same flags.
    /// </summary>
    public void AskAhead(DmCommand command, IReadOnlyList<DeviceSelector> devices, DmFlags flags)
    {
        flags |= command == DmCommand.TableDeps ? DmFlags.DependencyNames : 0;
        IReadOnlyList<DmOutcome> outcomes = control.CallEach(command, [.. devices.Select(device => Request(device, flags, RoomOfMany))]);
        for (int i = 0; i < devices.Count; i++)
        {
            _ahead[(command, devices[i], flags)] = outcomes[i];
        }
    }

    /// <summary>Devices, each of which is about to be asked a question about: some hundreds are asked for at once.</summary>
    public IEnumerable<NamedDevice> AskingAhead(IReadOnlyList<NamedDevice> devices, (DmCommand Command, DmFlags Flags)? question)
    {
        foreach (NamedDevice[] some in devices.Chunk(DevicesAtOnce))
        {
            if (question is { } asked && some.Length > 1)
            {
                AskAhead(asked.Command, Selectors(some), asked.Flags);
            }

            foreach (NamedDevice device in some)
            {
                yield return device;
            }
        }
    }

    /// <summary>Those of the devices that can be named; whoever works on the others is told why not.</summary>
    private List<DeviceSelector> Selectors(NamedDevice[] devices)
    {
        List<DeviceSelector> selectors = [];
        foreach (NamedDevice device in devices)
        {
            try
            {
                selectors.Add(DeviceSelector.ByName(device.Name, mangling));
            }
            catch (VerbException)
            {
                continue;
            }
        }

        return selectors;
    }

    private DmIoctl Ask(DmCommand command, DeviceSelector device, DmFlags flags) =>
        !_ahead.Remove((command, device, flags), out DmOutcome known) ? Call(command, Request(device, flags))
        : known.Reply is { } reply ? Take(reply)
        : throw known.Refusal!;

    private DmIoctl Call(DmCommand command, DmIoctl request) => Take(control.Call(command, request));

    private DmIoctl Take(DmReply reply)
    {
        foreach (string warning in reply.Warnings)
        {
            warn(warning);
        }

        return reply.Ioctl;
    }

    private DeviceInfo Info(DmIoctl answer) => DeviceInfo.From(answer, mangling);

    private static DmIoctl Request(DeviceSelector device, DmFlags flags, int room = DmIoctl.DefaultSize)
    {
        DmIoctl request = new(room);
        Fill(request, device, flags);
        return request;
    }

    private static void Fill(DmIoctl request, DeviceSelector device, DmFlags flags)
    {
        request.Flags = flags | DmFlags.TellReadAhead;
        if (device.Number is { } number)
        {
            request.Device = number;
        }

        request.Name = device.Name ?? "";
        request.Uuid = device.Uuid ?? "";
    }
}
