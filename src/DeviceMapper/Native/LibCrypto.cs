using System.Runtime.InteropServices;

namespace DeviceMapper.Native;

/// <summary>OpenSSL's libcrypto 3: message digests (man EVP_DigestInit) and key derivation. Ciphers are not taken from it: its contexts keep keys in a heap that can be swapped and dumped.</summary>
internal static unsafe partial class LibCrypto
{
    private const string Library = "libcrypto.so.3";

    /// <summary>Finds a digest by name; 0 where there is none.</summary>
    [LibraryImport(Library, EntryPoint = "EVP_MD_fetch", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint FetchDigest(nint context, string name, string? properties);

    /// <summary>Frees a digest.</summary>
    [LibraryImport(Library, EntryPoint = "EVP_MD_free")]
    public static partial void FreeDigest(nint digest);

    /// <summary>Bytes that a digest makes.</summary>
    [LibraryImport(Library, EntryPoint = "EVP_MD_get_size")]
    public static partial int DigestSize(nint digest);

    /// <summary>Bytes that a digest takes at once.</summary>
    [LibraryImport(Library, EntryPoint = "EVP_MD_get_block_size")]
    public static partial int DigestBlockSize(nint digest);

    /// <summary>Makes an empty context.</summary>
    [LibraryImport(Library, EntryPoint = "EVP_MD_CTX_new")]
    public static partial nint NewDigestContext();

    /// <summary>Frees a context.</summary>
    [LibraryImport(Library, EntryPoint = "EVP_MD_CTX_free")]
    public static partial void FreeDigestContext(nint context);

    /// <summary>Makes a context equal to another.</summary>
    [LibraryImport(Library, EntryPoint = "EVP_MD_CTX_copy_ex")]
    public static partial int CopyDigestContext(nint destination, nint source);

    /// <summary>Starts a digest; with digest 0 the same as before.</summary>
    [LibraryImport(Library, EntryPoint = "EVP_DigestInit_ex2")]
    public static partial int StartDigest(nint context, nint digest, nint parameters);

    /// <summary>Takes bytes.</summary>
    [LibraryImport(Library, EntryPoint = "EVP_DigestUpdate")]
    public static partial int UpdateDigest(nint context, byte* data, nuint length);

    /// <summary>Ends a digest.</summary>
    [LibraryImport(Library, EntryPoint = "EVP_DigestFinal_ex")]
    public static partial int FinishDigest(nint context, byte* digest, uint* length);
}
