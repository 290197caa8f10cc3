using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>Memory: <c>mem:SIZE#NAME</c> by its name, plain <c>mem:SIZE</c> by its size and its place in its mapped device's table.</summary>
internal sealed class MemorySpec(Memories memories, string word, DeviceIdentity identity, SectorCount size) : DeviceSpec
{
    /// <summary>What its words start with.</summary>
    public const string Scheme = "mem:";

    /// <inheritdoc/>
    public override DeviceIdentity Identity => identity;

    /// <inheritdoc/>
    public override string Name => word;

    /// <inheritdoc/>
    public override bool MayHang => false;

    /// <summary>Reads a word that starts with <c>mem:</c>.</summary>
    /// <exception cref="DmException">EINVAL: not a size, an empty name, or a name that is in use with another size.</exception>
    public static MemorySpec Parse(string word, ResolveContext context, Memories memories)
    {
        int hash = word.IndexOf('#');
        string sizeText = hash < 0 ? word[Scheme.Length..] : word[Scheme.Length..hash];
        if (!ByteSize.TryParse(sizeText, out SectorCount size))
        {
            throw new DmException(Errno.EINVAL, $"{OpenErrors.Quote(word)}: '{sizeText}' is not {ByteSize.Expected}");
        }

        if (hash < 0)
        {
            DeviceIdentity own = new("mem", $"{context.Scope} {context.TakeMemoryPlace()} {size}");
            return new MemorySpec(memories, word, own, size);
        }

        if (hash == word.Length - 1)
        {
            throw new DmException(Errno.EINVAL, $"{OpenErrors.Quote(word)}: no name follows the '#'");
        }

        DeviceIdentity shared = new("mem", word[hash..]);
        return memories.Find(shared) is { } there && there.Size != size
            ? throw new DmException(
                Errno.EINVAL, $"{OpenErrors.Quote(word)}: the memory of that name is in use, and has {ByteSize.Format(there.Size)}")
            : new MemorySpec(memories, word, shared, size);
    }

    /// <inheritdoc/>
    public override IDisposable Claim(CancellationToken cancellation) => memories.Make(identity, size);

    /// <inheritdoc/>
    public override Backend Open(DeviceMode mode, CancellationToken cancellation)
    {
        Memories.Memory memory = memories.Find(identity)!; // claimed first
        return new MemoryBackend(memory.Pages, memory.Size);
    }
}
