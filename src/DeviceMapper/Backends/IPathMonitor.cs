namespace DeviceMapper.Backends;

/// <summary>
/// A <see cref="Backend"/> whose way to its device can be lost and come back while it is open (a server on the network): it
/// watches for the return by itself, as long as it is open.
/// </summary>
/// <remarks>
/// While the way is lost, bios with <see cref="Io.BioFlags.FailFast"/> end at once with <see cref="Io.BioStatus.Transport"/>, those that
/// were in flight too; others wait for the return, within the backend's time limit.
/// </remarks>
public interface IPathMonitor
{
    /// <summary>Whether the device can be reached now.</summary>
    bool IsConnected { get; }

    /// <summary>
    /// <see cref="IsConnected"/> has changed. Raised on any thread, with no lock held, one call at a time; a handler reads
    /// the property, since changes that follow each other quickly may be told as one.
    /// </summary>
    event Action? StateChanged;
}
