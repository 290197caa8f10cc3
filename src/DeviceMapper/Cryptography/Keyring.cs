using System.Collections.Concurrent;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography;

/// <summary>
/// Where keys of the form <c>:size:type:description</c> come from: keys that this thread was given, those that this process was given, then
/// the kernel's keyrings of this process (request_key(2)).
/// </summary>
/// <remarks>The kernel gives no program the bytes of a <c>logon</c> or <c>encrypted</c> key, so those have to be given by <see cref="Add"/>.</remarks>
public static class Keyring
{
    /// <summary>The type of keys that stand for hexadecimal digits in the table or message that is being read; no table shows it.</summary>
    public const string Passed = "udm";

    private static readonly ConcurrentDictionary<(string Type, string Description), SecretMemory> _keys = new();

    [ThreadStatic]
    private static Dictionary<(string Type, string Description), SecretMemory>? _ofThread;

    /// <summary>Adds a key for this thread alone, until <see cref="ForgetThread"/>: others may have one of the same name at the same time.</summary>
    /// <param name="type"><c>logon</c>, <c>user</c> or <c>encrypted</c>.</param>
    /// <param name="description">Its name.</param>
    /// <param name="key">Its bytes, which are copied.</param>
    public static void AddForThread(string type, string description, ReadOnlySpan<byte> key)
    {
        SecretMemory added = new(key);
        _ofThread ??= [];
        if (_ofThread.Remove((type, description), out SecretMemory? replaced))
        {
            replaced.Dispose();
        }

        _ofThread.Add((type, description), added);
    }

    /// <summary>Forgets the keys of this thread.</summary>
    public static void ForgetThread()
    {
        foreach (SecretMemory key in _ofThread?.Values ?? Enumerable.Empty<SecretMemory>())
        {
            key.Dispose();
        }

        _ofThread?.Clear();
    }

    /// <summary>Adds a key, or replaces one of the same name.</summary>
    /// <param name="type"><c>logon</c>, <c>user</c> or <c>encrypted</c>.</param>
    /// <param name="description">Its name.</param>
    /// <param name="key">Its bytes, which are copied.</param>
    public static void Add(string type, string description, ReadOnlySpan<byte> key)
    {
        SecretMemory added = new(key);
        while (!_keys.TryAdd((type, description), added))
        {
            Remove(type, description);
        }
    }

    /// <summary>Forgets a key that <see cref="Add"/> added.</summary>
    /// <returns>Whether there was one.</returns>
    public static bool Remove(string type, string description)
    {
        if (!_keys.TryRemove((type, description), out SecretMemory? removed))
        {
            return false;
        }

        lock (removed)
        {
            removed.Dispose();
        }

        return true;
    }

    /// <summary>Reads a key.</summary>
    /// <exception cref="DmException">ENOKEY: there is none. EACCES and others: the kernel does not give it.</exception>
    public static SecretMemory Read(string type, string description)
    {
        if (_ofThread?.GetValueOrDefault((type, description)) is { } own)
        {
            return new SecretMemory(own.Span);
        }

        while (_keys.TryGetValue((type, description), out SecretMemory? known))
        {
            lock (known)
            {
                try
                {
                    return new SecretMemory(known.Span);
                }
                catch (ObjectDisposedException)
                {
                    // removed or replaced meanwhile
                }
            }
        }

        return KernelKeyring.Read(type, description);
    }
}
