using DeviceMapper.Native;

namespace DeviceMapper.Cryptography;

/// <summary>Argon2 (RFC 9106): by libargon2, and where that is not installed by libgcrypt, which uses one thread for all lanes.</summary>
/// <param name="Type"><c>argon2i</c> or <c>argon2id</c>.</param>
/// <param name="Passes">Over the memory.</param>
/// <param name="Memory">In KiB.</param>
/// <param name="Lanes">That can be computed side by side.</param>
internal sealed record Argon2(string Type, uint Passes, uint Memory, uint Lanes)
{
    /// <summary>Makes a key.</summary>
    /// <exception cref="DmException">ENOENT: neither library is here. ENOMEM: there is not so much memory. EINVAL: the library refuses the parameters.</exception>
    public void Derive(ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> salt, Span<byte> key)
    {
        try
        {
            DeriveByLibArgon2(passphrase, salt, key);
        }
        catch (DllNotFoundException)
        {
            LibGcrypt.Load($"{Type}, without libargon2 (the package libargon2-1),");
            DeriveByLibGcrypt(passphrase, salt, key);
        }
    }

    /// <summary>Makes a key by libargon2.</summary>
    internal unsafe void DeriveByLibArgon2(ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> salt, Span<byte> key)
    {
        const int outOfMemory = -22; // ARGON2_MEMORY_ALLOCATION_ERROR
        int result;
        fixed (byte* password = passphrase, saltBytes = salt, to = key)
        {
            result = Type == "argon2id"
                ? LibArgon2.DeriveId(Passes, Memory, Lanes, password, (nuint)passphrase.Length, saltBytes, (nuint)salt.Length, to, (nuint)key.Length)
                : LibArgon2.DeriveI(Passes, Memory, Lanes, password, (nuint)passphrase.Length, saltBytes, (nuint)salt.Length, to, (nuint)key.Length);
        }

        Check(result, result == outOfMemory);
    }

    /// <summary>Makes a key by libgcrypt, which was loaded.</summary>
    internal unsafe void DeriveByLibGcrypt(ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> salt, Span<byte> key)
    {
        const int argon2 = 64, i = 1, id = 2; // GCRY_KDF_ARGON2, GCRY_KDF_ARGON2I, GCRY_KDF_ARGON2ID
        const uint codeMask = 0xffff, outOfMemory = 0x8000 | 86; // GPG_ERR_ENOMEM
        nuint* parameters = stackalloc nuint[] { (nuint)key.Length, Passes, Memory, Lanes };
        fixed (byte* password = passphrase, saltBytes = salt, to = key)
        {
            uint result = LibGcrypt.OpenDerivation(
                out nint handle, argon2, Type == "argon2id" ? id : i, parameters, 4, password, (nuint)passphrase.Length, saltBytes, (nuint)salt.Length, null, 0, null, 0);
            if (result == 0)
            {
                result = LibGcrypt.Derive(handle, 0);
                result = result != 0 ? result : LibGcrypt.EndDerivation(handle, (nuint)key.Length, to);
                LibGcrypt.CloseDerivation(handle);
            }

            Check((int)(result & codeMask), (result & codeMask) == outOfMemory);
        }
    }

    private void Check(int result, bool isOutOfMemory)
    {
        if (result != 0)
        {
            throw isOutOfMemory
                ? new DmException(Errno.ENOMEM, $"{Type} needs {Memory} KiB of memory, and there are not so many")
                : new DmException(Errno.EINVAL, $"the library refuses the header's parameters of {Type} (its error {result})");
        }
    }
}
