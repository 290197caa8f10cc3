using System.Collections.Concurrent;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>The memories that are claimed now: a memory lives as long as its claim.</summary>
internal sealed class Memories
{
    private readonly ConcurrentDictionary<DeviceIdentity, Memory> _memories = new();

    /// <summary>The memory of an identity, if it is claimed.</summary>
    public Memory? Find(DeviceIdentity identity) => _memories.GetValueOrDefault(identity);

    /// <summary>Makes a memory; disposing it forgets it.</summary>
    /// <exception cref="DmException">ENOMEM.</exception>
    public Memory Make(DeviceIdentity identity, SectorCount size)
    {
        Errno error = AnonymousMemory.TryMap(size.Bytes, out AnonymousMemory? pages);
        if (error != Errno.None)
        {
            throw new DmException(error, $"a memory of {ByteSize.Format(size)} is more than this system gives");
        }

        Memory memory = new(this, identity, pages!, size);
        _memories[identity] = memory;
        return memory;
    }

    /// <summary>A memory, and the claim on it.</summary>
    internal sealed class Memory(Memories owner, DeviceIdentity identity, AnonymousMemory pages, SectorCount size) : IDisposable
    {
        /// <summary>Its data.</summary>
        public AnonymousMemory Pages => pages;

        /// <summary>Its size.</summary>
        public SectorCount Size => size;

        /// <inheritdoc/>
        public void Dispose()
        {
            owner._memories.TryRemove(identity, out _);
            pages.Dispose();
        }
    }
}
