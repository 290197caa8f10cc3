using DeviceMapper.Io;

namespace DeviceMapper.Mapping.Checking;

/// <summary>Something that keeps a device from being made.</summary>
/// <param name="Line">The line of its table, from 0; null where no single line is to blame.</param>
/// <param name="Refusal">What loading it would be refused with, without the number of the line.</param>
public sealed record TableProblem(int? Line, DmException Refusal);

/// <summary>A mapped device that is there already.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Uuid">Its uuid; empty without one.</param>
/// <param name="Minor">Its minor number.</param>
/// <param name="Size">Its size.</param>
public sealed record KnownDevice(string Name, string Uuid, uint Minor, SectorCount Size);

/// <summary>Mapped devices that are there already.</summary>
public interface IKnownDevices
{
    /// <summary>The one of a name, or null.</summary>
    KnownDevice? FindByName(string name);

    /// <summary>The one of a uuid, or null.</summary>
    KnownDevice? FindByUuid(string uuid);

    /// <summary>The one of a minor number, or null.</summary>
    KnownDevice? FindByMinor(uint minor);
}
