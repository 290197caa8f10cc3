using System.Security.Cryptography;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography;

/// <summary>A cipher of libgcrypt, by its number there (gcrypt.h, <c>GCRY_CIPHER_*</c>).</summary>
/// <param name="Name">The kernel's name.</param>
/// <param name="Algorithm">The number.</param>
/// <param name="BlockSize">Bytes of a block.</param>
/// <param name="KeySizes">Sizes of keys that the kernel takes, in bytes.</param>
internal sealed record GcryptAlgorithm(string Name, int Algorithm, int BlockSize, params int[] KeySizes)
{
    private const int PaddedSize = 32;

    /// <summary>A handle with a key, whose schedule lies in secure memory.</summary>
    /// <exception cref="DmException">EINVAL: the key; ENOMEM: libgcrypt's secure memory is full.</exception>
    public unsafe nint Open(int mode, ReadOnlySpan<byte> key)
    {
        if (LibGcrypt.Open(out nint handle, Algorithm, mode, LibGcrypt.SecureHandle) != 0)
        {
            throw new DmException(Errno.ENOMEM, $"libgcrypt cannot make a context of {Name}: its secure memory is full, or the limit on locked memory (ulimit -l) too low");
        }

        Span<byte> padded = stackalloc byte[2 * PaddedSize];
        scoped ReadOnlySpan<byte> taken = key;
        if (IsPadded)
        {
            taken = Pad(key, mode == GcryptMode.Xts ? 2 : 1, padded);
        }

        fixed (byte* bytes = taken)
        {
            // A weak key (DES) is reported, and set all the same: the kernel takes it.
            const uint weakKey = 43;
            uint error = LibGcrypt.SetKey(handle, bytes, (nuint)taken.Length) & 0xffff;
            CryptographicOperations.ZeroMemory(padded);
            if (error is not (0 or weakKey))
            {
                LibGcrypt.Close(handle);
                throw new DmException(Errno.EINVAL, $"libgcrypt's {Name} takes no key of {key.Length} bytes");
            }
        }

        return handle;
    }

    // libgcrypt's serpent pads short keys by whole words alone.
    private bool IsPadded => Name == "serpent";

    /// <summary>Pads each part of a key as serpent's authors say: a bit, then zeroes.</summary>
    private static ReadOnlySpan<byte> Pad(ReadOnlySpan<byte> key, int parts, Span<byte> padded)
    {
        int size = key.Length / parts;
        for (int i = 0; i < parts; i++)
        {
            Span<byte> part = padded.Slice(i * PaddedSize, PaddedSize);
            key.Slice(i * size, size).CopyTo(part);
            if (size < PaddedSize)
            {
                part[size] = 1;
            }
        }

        return padded[..(parts * PaddedSize)];
    }

    /// <summary>Refuses a key of a size that the kernel would refuse.</summary>
    /// <param name="size">Of the key, in bytes.</param>
    public void CheckKey(int size)
    {
        if (Array.IndexOf(KeySizes, size) < 0)
        {
            throw new DmException(Errno.EINVAL, $"{Name} takes keys of {string.Join(", ", KeySizes)} bytes, not of {size}");
        }
    }
}
