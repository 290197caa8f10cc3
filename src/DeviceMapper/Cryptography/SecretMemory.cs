using System.Runtime.InteropServices;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography;

/// <summary>
/// Memory for keys and what is derived from them: native, so that the garbage collector leaves no copies; locked, so that it is not
/// swapped out; left out of core files; filled with zeroes before it is given back.
/// </summary>
/// <remarks>Each piece has pages of its own, and so counts as whole pages against RLIMIT_MEMLOCK.</remarks>
public sealed unsafe class SecretMemory : IDisposable
{
    private readonly nuint _mapped;
    private byte* _address;

    /// <summary>Makes a piece, filled with zeroes.</summary>
    /// <param name="length">In bytes; may be zero.</param>
    /// <exception cref="DmException">ENOMEM: there is no memory, or no more of it may be locked.</exception>
    public SecretMemory(int length)
    {
        Length = length;
        nuint page = (nuint)Environment.SystemPageSize;
        _mapped = ((nuint)Math.Max(length, 1) + page - 1) / page * page;
        nint address = MemoryCalls.Map(0, _mapped, MemoryCalls.ReadWrite, MemoryCalls.PrivateAnonymous, -1, 0);
        if (address == MemoryCalls.Failed)
        {
            throw new DmException(Errno.ENOMEM, $"there are no {_mapped} bytes of memory for a key");
        }

        if (MemoryCalls.Lock(address, _mapped) != 0)
        {
            MemoryCalls.Unmap(address, _mapped);
            throw new DmException(
                Errno.ENOMEM,
                $"{_mapped} bytes for a key cannot be locked in memory: raise the limit on locked memory (ulimit -l, LimitMEMLOCK=, or RLIMIT_MEMLOCK)");
        }

        MemoryCalls.Advise(address, _mapped, MemoryCalls.DontDump);
        _address = (byte*)address;
    }

    /// <summary>Makes a piece with a copy of some bytes.</summary>
    public SecretMemory(ReadOnlySpan<byte> bytes)
        : this(bytes.Length) => bytes.CopyTo(Span);

    /// <summary>Zeroes and frees what was never disposed of.</summary>
    ~SecretMemory() => Free();

    /// <summary>Its bytes.</summary>
    public int Length { get; }

    /// <summary>The memory.</summary>
    public Span<byte> Span => _address is null ? throw new ObjectDisposedException(nameof(SecretMemory)) : new(_address, Length);

    /// <summary>The same memory, for ciphers.</summary>
    internal Io.BioBuffer Buffer => new((nint)_address, Length);

    /// <summary>The first byte.</summary>
    internal byte* Address => _address;

    /// <summary>Fills it with zeroes, in a way that is not optimised out.</summary>
    public void Clear() => System.Security.Cryptography.CryptographicOperations.ZeroMemory(Span);

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_address is null)
        {
            return;
        }

        NativeMemory.Clear(_address, _mapped);
        MemoryCalls.Unmap((nint)_address, _mapped);
        _address = null;
    }
}
