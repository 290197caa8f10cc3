using DeviceMapper.Cryptography;
using DeviceMapper.Mapping;

namespace DeviceMapper.Ioctl;

/// <summary>The ioctls of a registry in this process, as over a daemon's control socket.</summary>
public sealed class LocalControl : IControl
{
    private readonly DeviceRegistry _registry;
    private readonly ControlSession _session;
    private readonly List<(string Type, string Description)> _keys = [];

    /// <summary>The ioctls of a registry.</summary>
    public LocalControl(DeviceRegistry registry)
    {
        _registry = registry;
        _session = new ControlSession(registry);
    }

    /// <inheritdoc/>
    public void GiveKey(string type, string description, ReadOnlySpan<byte> key)
    {
        Keyring.Add(type, description, key);
        _keys.Add((type, description));
    }

    /// <inheritdoc/>
    public DmReply Call(DmCommand command, DmIoctl request, CancellationToken cancellation = default)
    {
        bool secret = request.Has(DmFlags.SecureData);
        int size = Math.Max(checked((int)request.DataSize), request.Bytes.Length);
        try
        {
            while (true)
            {
                DmIoctl answer = request.Copy(size);
                bool answered = false;
                try
                {
                    IReadOnlyList<string> warnings = ControlNode.Execute(_registry, _session, command.IoctlNumber(), answer, size, cancellation);
                    answered = !answer.Has(DmFlags.BufferFull);
                    if (answered)
                    {
                        return new DmReply(answer, warnings);
                    }
                }
                finally
                {
                    if (secret && !answered)
                    {
                        answer.Wipe();
                    }
                }

                size = size < DmIoctl.MaxDataSize
                    ? (int)Math.Min(DmIoctl.MaxDataSize, 2L * size)
                    : throw new DmException(Native.Errno.EOVERFLOW, $"the answer is larger than {DmIoctl.MaxDataSize} bytes");
            }
        }
        finally
        {
            if (secret)
            {
                request.Wipe();
            }

            _keys.ForEach(key => Keyring.Remove(key.Type, key.Description));
            _keys.Clear();
        }
    }
}
