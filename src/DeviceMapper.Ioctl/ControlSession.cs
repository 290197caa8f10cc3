using DeviceMapper.Mapping;

namespace DeviceMapper.Ioctl;

/// <summary>What is remembered of one caller from ioctl to ioctl: what the kernel keeps for each open control node.</summary>
public sealed class ControlSession
{
    /// <summary>A caller that has just come; a poll waits for the events from now on.</summary>
    public ControlSession(DeviceRegistry registry) => Arm(registry);

    /// <summary>The global event number that a poll waits to change.</summary>
    public uint ArmedEvent { get; private set; }

    /// <summary>The device of the call that is under way, for who wants to know why it takes long.</summary>
    internal MappedDevice? WaitsFor { get; set; }

    /// <summary>Remembers the global event number.</summary>
    internal void Arm(DeviceRegistry registry) => ArmedEvent = registry.EventNumber;
}
