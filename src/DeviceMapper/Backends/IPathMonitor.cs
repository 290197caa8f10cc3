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
    /// Which connection it is since the open: above 0, and another number after each return, from before anything is sent by it. What the
    /// way leads to then need not be what it led to: a bio that names another (<see cref="Io.Bio.Connection"/>) ends with <see cref="Io.BioStatus.Transport"/>.
    /// </summary>
    int Connection { get; }

    /// <summary>
    /// Whether no write that has ended with <see cref="Io.BioStatus.Transport"/> or <see cref="Io.BioStatus.Timeout"/> can still be applied
    /// to the device: the far side has answered it, or is known to have dropped it (it closed the connection, its process is gone). A backend
    /// that cannot know takes the return of the way for it.
    /// </summary>
    bool IsSettled => IsConnected;

    /// <summary>
    /// <see cref="IsConnected"/> or <see cref="IsSettled"/> has changed. Raised on any thread, with no lock held, one call at a time; a handler reads
    /// the properties, since changes that follow each other quickly may be told as one.
    /// </summary>
    event Action? StateChanged;
}
