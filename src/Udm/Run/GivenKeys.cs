using System.Collections.Concurrent;
using System.Text;
using DeviceMapper.Cryptography;
using DeviceMapper.Ioctl;

namespace Udm.Run;

/// <summary>
/// The keys that programs give to the kernel's keyrings (add_key(2)) for a crypt target, and the signatures for a verity target: the kernel
/// gives nobody the bytes of a <c>logon</c> key, so they are kept as they pass, in locked memory, and given to the daemon with a table or a
/// message that names them.
/// </summary>
/// <remarks>
/// Programs may have keys of one name at once: each is looked for as the kernel does, in the keyring of the thread, then of its process,
/// then of its session. Which session keyring a process has nobody can ask: its own session's comes first, then the last that any gave.
/// </remarks>
internal sealed class GivenKeys
{
    private const int LongestKey = 32767; // bytes; the kernel takes no more
    private const int ThreadKeyring = -1, ProcessKeyring = -2; // KEY_SPEC_*

    private readonly ConcurrentDictionary<KeyName, GivenKey> _keys = new();
    private ulong _given;

    private enum Keyring
    {
        Thread,
        Process,
        Session,
    }

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

        SecretMemory bytes = new((int)length);
        if (!call.Read(call.Argument(2), bytes.Span))
        {
            bytes.Dispose();
            return;
        }

        KeyName name = (int)call.Argument(4) switch
        {
            ThreadKeyring => new(type, description, Keyring.Thread, call.Pid),
            ProcessKeyring => new(type, description, Keyring.Process, call.Process),
            _ => new(type, description, Keyring.Session, call.Session),
        };
        Forget(name);
        _keys[name] = new GivenKey(bytes, ++_given);
    }

    /// <summary>Gives the daemon the keys that a request names.</summary>
    /// <param name="call">Whose it is.</param>
    /// <param name="request">The request.</param>
    /// <param name="client">By which it is sent then.</param>
    public void GiveNamed(TracedCall call, ReadOnlySpan<byte> request, ControlClient client)
    {
        if (_keys.IsEmpty)
        {
            return;
        }

        uint process = call.Process, session = call.Session;
        HashSet<(string, string)> done = [];
        foreach ((KeyName name, GivenKey key) in _keys.OrderBy(pair => Distance(pair.Key)).ThenByDescending(pair => pair.Value.Order))
        {
            if (Distance(name) < int.MaxValue && Names(request, name) && done.Add((name.Type, name.Description)))
            {
                lock (key.Bytes)
                {
                    if (_keys.TryGetValue(name, out GivenKey still) && still == key) // else it is forgotten
                    {
                        client.GiveKey(name.Type, name.Description, key.Bytes.Span);
                    }
                }
            }
        }

        int Distance(KeyName name) => name.Keyring switch
        {
            Keyring.Thread => name.Owner == call.Pid ? 0 : int.MaxValue,
            Keyring.Process => name.Owner == process ? 1 : int.MaxValue,
            _ => name.Owner == session ? 2 : 3,
        };
    }

    /// <summary>Whether a request has a key's name: a table of crypt or a message after its type, a table of verity after its option.</summary>
    private static bool Names(ReadOnlySpan<byte> request, KeyName name) =>
        request.IndexOf(Encoding.UTF8.GetBytes($":{name.Type}:{name.Description}")) >= 0
        || (name.Type == "user" && request.IndexOf(Encoding.UTF8.GetBytes($"root_hash_sig_key_desc {name.Description}")) >= 0);

    /// <summary>A keyring of a thread or of a process goes with it.</summary>
    private void ForgetDead()
    {
        foreach (KeyName name in _keys.Keys)
        {
            if (name.Keyring != Keyring.Session && !Directory.Exists($"/proc/{name.Owner}"))
            {
                Forget(name);
            }
        }
    }

    private void Forget(KeyName name)
    {
        if (_keys.TryRemove(name, out GivenKey known))
        {
            lock (known.Bytes)
            {
                known.Bytes.Dispose();
            }
        }
    }

    /// <summary>What a key is found by.</summary>
    private readonly record struct KeyName(string Type, string Description, Keyring Keyring, uint Owner);

    /// <summary>A key.</summary>
    /// <param name="Bytes">Its bytes.</param>
    /// <param name="Order">The how many-th it was.</param>
    private readonly record struct GivenKey(SecretMemory Bytes, ulong Order);
}
