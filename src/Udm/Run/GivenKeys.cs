using System.Collections.Concurrent;
using System.Text;
using DeviceMapper.Cryptography;
using DeviceMapper.Ioctl;

namespace Udm.Run;

/// <summary>
/// The keys that programs give to the kernel's keyrings (add_key(2)) for a crypt target: the kernel gives nobody the bytes of a
/// <c>logon</c> key, so they are kept as they pass, in locked memory, and given to the daemon with a table or a message that names them.
/// </summary>
internal sealed class GivenKeys
{
    private const int LongestKey = 32767; // bytes; the kernel takes no more
    private const int ThreadKeyring = -1, ProcessKeyring = -2; // KEY_SPEC_*

    private readonly ConcurrentDictionary<(string Type, string Description), (SecretMemory Bytes, uint? Owner)> _keys = new();

    /// <summary>Looks at a call of add_key, which the kernel carries out then.</summary>
    public void Note(TracedCall call)
    {
        ForgetDead();
        ulong length = call.Argument(3);
        string? type = call.Text(call.Argument(0)), description = call.Text(call.Argument(1));
        if (type is not ("logon" or "user") || description is null || length > LongestKey)
        {
            return;
        }

        SecretMemory key = new((int)length);
        if (!call.Read(call.Argument(2), key.Span))
        {
            key.Dispose();
            return;
        }

        Forget((type, description));
        _keys[(type, description)] = (key, (int)call.Argument(4) is ThreadKeyring or ProcessKeyring ? call.Pid : null);
    }

    /// <summary>Gives the daemon the keys that a request names.</summary>
    public void GiveNamed(ReadOnlySpan<byte> request, ControlClient client)
    {
        foreach (((string type, string description), (SecretMemory key, _)) in _keys)
        {
            if (request.IndexOf(Encoding.UTF8.GetBytes($":{type}:{description}")) >= 0)
            {
                lock (key)
                {
                    if (_keys.TryGetValue((type, description), out (SecretMemory Bytes, uint?) still) && still.Bytes == key) // else it is forgotten
                    {
                        client.GiveKey(type, description, key.Span);
                    }
                }
            }
        }
    }

    /// <summary>A keyring of a thread or of a process goes with it.</summary>
    private void ForgetDead()
    {
        foreach (((string, string) name, (_, uint? owner)) in _keys)
        {
            if (owner is { } thread && !Directory.Exists($"/proc/{thread}"))
            {
                Forget(name);
            }
        }
    }

    private void Forget((string Type, string Description) name)
    {
        if (_keys.TryRemove(name, out (SecretMemory Bytes, uint? Owner) known))
        {
            lock (known.Bytes)
            {
                known.Bytes.Dispose();
            }
        }
    }
}
