using DeviceMapper.Native;

namespace DeviceMapper.Ioctl;

/// <summary>Whoever takes the device mapper's ioctls: the daemon behind its control socket, or a registry in this process.</summary>
public interface IControl
{
    /// <summary>Calls an ioctl.</summary>
    /// <param name="command">Which.</param>
    /// <param name="request">Its struct and payload. Unchanged, unless <see cref="DmFlags.SecureData"/> is set: then it is wiped.</param>
    /// <param name="cancellation">As a signal would: what the call waits for is undone.</param>
    /// <returns>The answer, never with <see cref="DmFlags.BufferFull"/>: a buffer that is too small is enlarged and the call repeated.</returns>
    /// <exception cref="DmException">The call was refused; <see cref="Errno.EINTR"/>: it was cancelled.</exception>
    DmReply Call(DmCommand command, DmIoctl request, CancellationToken cancellation = default);

    /// <summary>Gives a key that the next call names (<c>:32:logon:DESCRIPTION</c>); it is forgotten after that call.</summary>
    /// <param name="type"><c>logon</c> or <c>user</c>.</param>
    /// <param name="description">Its name.</param>
    /// <param name="key">Its bytes.</param>
    /// <exception cref="DmException">No daemon answers, or there is no memory for a key.</exception>
    void GiveKey(string type, string description, ReadOnlySpan<byte> key);

    /// <summary>Calls an ioctl of many devices, in fewer exchanges than one each where that can be had.</summary>
    /// <param name="command">Which.</param>
    /// <param name="requests">A struct for each device, without <see cref="DmFlags.SecureData"/>.</param>
    /// <param name="cancellation">As of <see cref="Call"/>.</param>
    /// <returns>What each call answers or is refused for, in order.</returns>
    IReadOnlyList<DmOutcome> CallEach(DmCommand command, IReadOnlyList<DmIoctl> requests, CancellationToken cancellation = default)
    {
        List<DmOutcome> outcomes = new(requests.Count);
        foreach (DmIoctl request in requests)
        {
            try
            {
                outcomes.Add(new DmOutcome(Call(command, request, cancellation), null));
            }
            catch (DmException refusal)
            {
                outcomes.Add(new DmOutcome(null, refusal));
            }
        }

        return outcomes;
    }
}

/// <summary>How one of several calls ended.</summary>
/// <param name="Reply">Its answer; null if it was refused.</param>
/// <param name="Refusal">Why it was refused; null if it was not.</param>
public readonly record struct DmOutcome(DmReply? Reply, DmException? Refusal);

/// <summary>What an ioctl answers.</summary>
/// <param name="Ioctl">The struct and its payload.</param>
/// <param name="Warnings">Sentences for the user.</param>
public sealed record DmReply(DmIoctl Ioctl, IReadOnlyList<string> Warnings);
