using DeviceMapper.Io;
namespace DeviceMapper.Mapping;

/// <summary>A mapped device: a block device made by a table of targets.</summary>
public sealed partial class MappedDevice : BlockDevice
{
    /// <summary>Its present name.</summary>
    public string Name => throw new NotImplementedException();
    /// <summary>Its uuid; empty without one.</summary>
    public string Uuid => throw new NotImplementedException();
    /// <summary>Its number.</summary>
    public DeviceNumber Number => throw new NotImplementedException();
    /// <summary>Whether the live table is read-only: writes end with <see cref="BioStatus.ReadOnly"/>.</summary>
    public bool IsReadOnly => throw new NotImplementedException();
    /// <summary>File handles, connections and table devices that have it open.</summary>
    public int OpenCount => throw new NotImplementedException();
    /// <summary>Whether it has been resumed with a table at least once, so that front ends show it.</summary>
    public bool HasAppeared => throw new NotImplementedException();
    /// <inheritdoc/>
    public override SectorCount Size => throw new NotImplementedException();
    /// <inheritdoc/>
    public override QueueLimits Limits => throw new NotImplementedException();
    /// <summary>Opens it: it cannot be removed until <see cref="Close"/>.</summary>
    /// <exception cref="DmException">ENXIO: it is being removed.</exception>
    public void Open() => throw new NotImplementedException();
    /// <summary>Ends an <see cref="Open"/>. The last close removes a device that is marked for deferred removal.</summary>
    public void Close() => throw new NotImplementedException();
    /// <summary>What DM_DEV_STATUS tells.</summary>
    /// <param name="inactive">Target count and mode of the inactive table.</param>
    public DeviceStatus Status(bool inactive = false) => throw new NotImplementedException();
    /// <summary>Builds a table in the inactive slot (DM_TABLE_LOAD).</summary>
    /// <returns>Warnings: what will be refused at the resume.</returns>
    /// <exception cref="DmException">What the kernel refuses, with a sentence that names line, target and argument.</exception>
    public IReadOnlyList<string> LoadTable(IReadOnlyList<TableLine> lines, DeviceMode mode = DeviceMode.ReadWrite, CancellationToken cancellation = default) => throw new NotImplementedException();
    /// <summary>Builds a table in the inactive slot from text.</summary>
    public IReadOnlyList<string> LoadTable(string table, DeviceMode mode = DeviceMode.ReadWrite) => throw new NotImplementedException();
    /// <summary>Destroys the inactive table, if there is one (DM_TABLE_CLEAR).</summary>
    public void ClearTable() => throw new NotImplementedException();
    /// <summary>Suspends (DM_DEV_SUSPEND with DM_SUSPEND_FLAG): bios in flight end, new ones wait.</summary>
    /// <exception cref="DmException">EINTR: <paramref name="cancellation"/>; the suspend is undone.</exception>
    public void Suspend(SuspendOptions options = SuspendOptions.None, CancellationToken cancellation = default) => throw new NotImplementedException();
    /// <summary>Makes the inactive table live, if there is one, and resumes (DM_DEV_SUSPEND without DM_SUSPEND_FLAG).</summary>
    public void Resume(SuspendOptions options = SuspendOptions.None, CancellationToken cancellation = default) => throw new NotImplementedException();
    /// <summary>The targets of a table with their status (DM_TABLE_STATUS), or, with <paramref name="arguments"/>, their arguments (DM_STATUS_TABLE_FLAG); empty without a table.</summary>
    public IReadOnlyList<TargetText> TableTexts(bool arguments, bool inactive = false, bool noflush = false) => throw new NotImplementedException();
    /// <summary>The table devices of a table, the latest first as the kernel lists them (DM_TABLE_DEPS); empty without a table.</summary>
    public IReadOnlyList<Dependency> Dependencies(bool inactive = false) => throw new NotImplementedException();
    /// <summary>Sends a message to the target at a sector, or, starting with @, to the device itself (DM_TARGET_MSG).</summary>
    /// <returns>The answer's text, or null.</returns>
    public string? Message(Sector sector, string message) => throw new NotImplementedException();
    /// <summary>Its count of events.</summary>
    public uint EventNumber => throw new NotImplementedException();
    /// <summary>Waits until <see cref="EventNumber"/> differs from a number, or the device is removed.</summary>
    /// <exception cref="DmException">EINTR: <paramref name="cancellation"/>.</exception>
    public void WaitForEvent(uint since, CancellationToken cancellation) => throw new NotImplementedException();
    /// <summary>What it waits for, for a verb that takes long: <c>17 I/Os of m</c>; null if it does not wait.</summary>
    public string? WaitReason => throw new NotImplementedException();
    /// <inheritdoc/>
    protected internal override void Process(Bio bio) => throw new NotImplementedException();
    internal bool Exit(BioThread thread, Bio parent, BioStatus status) => throw new NotImplementedException();
    internal Bio? Map(Bio bio, BioThread thread) => throw new NotImplementedException();
}
