using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;

namespace Scale;

/// <summary>A client of a daemon, as libdm is one of the kernel: devices by name, in as many ioctls as dmsetup makes.</summary>
internal sealed class Caller(string socket) : IDisposable
{
    private readonly ControlClient _client = new(socket);

    /// <summary>Makes a device, loads its table, and resumes it.</summary>
    public void Create(string name, string table)
    {
        Call(DmCommand.DevCreate, new DmIoctl { Name = name });
        IReadOnlyList<TableLine> lines = TableParser.Parse(table);
        DmIoctl load = DmIoctl.WithPayload(TargetSpecs.WriteTable(lines));
        load.Name = name;
        load.TargetCount = (uint)lines.Count;
        Call(DmCommand.TableLoad, load);
        Call(DmCommand.DevSuspend, new DmIoctl { Name = name });
    }

    /// <summary>Removes a device.</summary>
    public void Remove(string name) => Call(DmCommand.DevRemove, new DmIoctl { Name = name });

    /// <summary>How many devices there are.</summary>
    public int Count() => NameList.Read(Call(DmCommand.ListDevices, new DmIoctl())).Count;

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private DmIoctl Call(DmCommand command, DmIoctl request) => _client.Call(command, request).Ioctl;
}
