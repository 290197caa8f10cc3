using DeviceMapper.Mapping;

namespace DeviceMapper.Ioctl;

/// <summary>The ioctls of a registry in this process, as over a daemon's control socket.</summary>
public sealed class LocalControl : IControl
{
    private readonly DeviceRegistry _registry;
    private readonly ControlSession _session;

    /// <summary>The ioctls of a registry.</summary>
    public LocalControl(DeviceRegistry registry)
    {
        _registry = registry;
        _session = new ControlSession(registry);
    }

    /// <inheritdoc/>
    public DmReply Call(DmCommand command, DmIoctl request, CancellationToken cancellation = default)
    {
        int size = Math.Max(checked((int)request.DataSize), request.Bytes.Length);
        while (true)
        {
            DmIoctl answer = request.Enlarged(size);
            IReadOnlyList<string> warnings = ControlNode.Execute(_registry, _session, command.IoctlNumber(), answer, size, cancellation);
            if (!answer.Has(DmFlags.BufferFull))
            {
                if (request.Has(DmFlags.SecureData))
                {
                    request.Wipe();
                }

                return new DmReply(answer, warnings);
            }

            size = size < DmIoctl.MaxDataSize
                ? (int)Math.Min(DmIoctl.MaxDataSize, 2L * size)
                : throw new DmException(Native.Errno.EOVERFLOW, $"the answer is larger than {DmIoctl.MaxDataSize} bytes");
        }
    }
}
