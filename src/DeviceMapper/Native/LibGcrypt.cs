using System.Globalization;
using System.Runtime.InteropServices;

namespace DeviceMapper.Native;

/// <summary>
/// libgcrypt 1.10: ciphers, with their keys in its secure memory; loaded when a cipher that the processor has no instructions for is first used.
/// </summary>
internal static unsafe partial class LibGcrypt
{
    /// <summary>GCRY_CIPHER_SECURE: the handle with its key schedule lies in secure memory.</summary>
    public const uint SecureHandle = 1;

    private const string Library = "libgcrypt.so.20";
    private const int SuspendWarning = 28; // GCRYCTL_SUSPEND_SECMEM_WARN
    private const int InitSecureMemory = 24; // GCRYCTL_INIT_SECMEM
    private const int InitializationFinished = 38; // GCRYCTL_INITIALIZATION_FINISHED
    private const int IsInitialized = 39; // GCRYCTL_INITIALIZATION_FINISHED_P
    private const int SetCcmLengths = 69; // GCRYCTL_SET_CCM_LENGTHS
    private const int SecureBytes = 1 << 20;

    private static readonly Lazy<bool> _loaded = new(Initialize);

    /// <summary>Loads and initialises the library.</summary>
    /// <exception cref="DmException">ENOENT: it is not installed, or too old.</exception>
    public static void Load(string reason)
    {
        try
        {
            _ = _loaded.Value;
        }
        catch (DllNotFoundException e)
        {
            throw new DmException(Errno.ENOENT, $"{reason} needs libgcrypt 1.10 or newer, which is not here: install the package libgcrypt20", e);
        }
    }

    /// <summary>Makes a handle of a cipher in a mode.</summary>
    /// <returns>0, or an error.</returns>
    [LibraryImport(Library, EntryPoint = "gcry_cipher_open")]
    public static partial uint Open(out nint handle, int algorithm, int mode, uint flags);

    /// <summary>Frees a handle, and zeroes it.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_cipher_close")]
    public static partial void Close(nint handle);

    /// <summary>Gives a handle its key.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_cipher_setkey")]
    public static partial uint SetKey(nint handle, byte* key, nuint length);

    /// <summary>Gives a handle its initialisation vector.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_cipher_setiv")]
    public static partial uint SetIv(nint handle, byte* iv, nuint length);

    /// <summary>Gives a handle in counter mode its counter.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_cipher_setctr")]
    public static partial uint SetCounter(nint handle, byte* counter, nuint length);

    /// <summary>Encrypts; in place where <paramref name="input"/> is null.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_cipher_encrypt")]
    public static partial uint Encrypt(nint handle, byte* output, nuint outputLength, byte* input, nuint inputLength);

    /// <summary>Decrypts; in place where <paramref name="input"/> is null.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_cipher_decrypt")]
    public static partial uint Decrypt(nint handle, byte* output, nuint outputLength, byte* input, nuint inputLength);

    /// <summary>Gives a handle of a mode that authenticates its associated data; before the plaintext.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_cipher_authenticate")]
    public static partial uint Authenticate(nint handle, byte* data, nuint length);

    /// <summary>Tells a handle of CCM, after its vector, how much there will be.</summary>
    public static void SetLengths(nint handle, ulong data, ulong associated, ulong tag)
    {
        ulong* lengths = stackalloc ulong[] { data, associated, tag };
        _ = CipherControl(handle, SetCcmLengths, lengths, 3 * sizeof(ulong));
    }

    /// <summary>The tag of what was encrypted.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_cipher_gettag")]
    public static partial uint GetTag(nint handle, byte* tag, nuint length);

    /// <summary>Compares the tag of what was decrypted, in constant time.</summary>
    /// <returns>0 where it is the same.</returns>
    [LibraryImport(Library, EntryPoint = "gcry_cipher_checktag")]
    public static partial uint CheckTag(nint handle, byte* tag, nuint length);

    /// <summary>Hashes in one call.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_md_hash_buffer")]
    public static partial void Hash(int algorithm, byte* digest, byte* data, nuint length);

    /// <summary>Bytes that a hash makes; 0 for one that is not there.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_md_get_algo_dlen")]
    public static partial uint HashSize(int algorithm);

    /// <summary>Makes a hash's handle.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_md_open")]
    public static partial uint OpenHash(out nint handle, int algorithm, uint flags);

    /// <summary>Frees a hash's handle.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_md_close")]
    public static partial void CloseHash(nint handle);

    /// <summary>Gives the handle of an HMAC its key, which it keeps when it starts anew.</summary>
    /// <returns>0, or an error.</returns>
    [LibraryImport(Library, EntryPoint = "gcry_md_setkey")]
    public static partial uint SetHashKey(nint handle, byte* key, nuint length);

    /// <summary>Starts anew.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_md_reset")]
    public static partial void ResetHash(nint handle);

    /// <summary>Takes bytes.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_md_write")]
    public static partial void WriteHash(nint handle, byte* data, nuint length);

    /// <summary>Ends a hash; the digest lies in the handle.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_md_read")]
    public static partial byte* ReadHash(nint handle, int algorithm);

    /// <summary>Makes a handle that derives a key.</summary>
    /// <returns>0, or an error.</returns>
    [LibraryImport(Library, EntryPoint = "gcry_kdf_open")]
    public static partial uint OpenDerivation(
        out nint handle, int algorithm, int variant, nuint* parameters, uint parameterCount, byte* password, nuint passwordLength, byte* salt, nuint saltLength,
        byte* key, nuint keyLength, byte* data, nuint dataLength);

    /// <summary>Does the work; all of it on this thread where <paramref name="threads"/> is 0.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_kdf_compute")]
    public static partial uint Derive(nint handle, nint threads);

    /// <summary>Gives the key.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_kdf_final")]
    public static partial uint EndDerivation(nint handle, nuint length, byte* key);

    /// <summary>Frees a handle that derives.</summary>
    [LibraryImport(Library, EntryPoint = "gcry_kdf_close")]
    public static partial void CloseDerivation(nint handle);

    [LibraryImport(Library, EntryPoint = "gcry_check_version")]
    private static partial nint CheckVersion(nint required);

    // gcry_control is variadic: on Linux's ABIs of x86-64 and arm64 a call with fixed integer arguments is the same.
    [LibraryImport(Library, EntryPoint = "gcry_control")]
    private static partial uint Control(int command, nint argument);

    [LibraryImport(Library, EntryPoint = "gcry_cipher_ctl")]
    private static partial uint CipherControl(nint handle, int command, void* buffer, nuint length);

    [LibraryImport(Library, EntryPoint = "gcry_malloc_secure")]
    private static partial nint AllocateSecure(nuint length);

    [LibraryImport(Library, EntryPoint = "gcry_free")]
    private static partial void Free(nint address);

    private static bool Initialize()
    {
        CheckVersion(0);
        if (Control(IsInitialized, 0) == 0)
        {
            Control(SuspendWarning, 0);
            Control(InitSecureMemory, SecureBytes);
            Control(InitializationFinished, 0);
        }

        // Its secure memory is locked and zeroed on free by itself; leaving it out of core files is ours.
        nint probe = AllocateSecure(16);
        LeaveOutOfCoreFiles(probe);
        Free(probe);
        return true;
    }

    private static void LeaveOutOfCoreFiles(nint address)
    {
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            int dash = line.IndexOf('-', StringComparison.Ordinal);
            int blank = line.IndexOf(' ', StringComparison.Ordinal);
            nint start = nint.Parse(line.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            nint end = nint.Parse(line.AsSpan(dash + 1, blank - dash - 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (start <= address && address < end)
            {
                MemoryCalls.Advise(start, (nuint)(end - start), MemoryCalls.DontDump);
                return;
            }
        }
    }
}
