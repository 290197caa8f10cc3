using System.Runtime.InteropServices;

namespace DeviceMapper.Native;

/// <summary>libargon2: loaded when a keyslot first asks for it.</summary>
internal static unsafe partial class LibArgon2
{
    private const string Library = "libargon2.so.1";

    /// <summary>Derives a key by Argon2id.</summary>
    /// <returns>0, or an error.</returns>
    [LibraryImport(Library, EntryPoint = "argon2id_hash_raw")]
    public static partial int DeriveId(
        uint passes, uint kibibytes, uint lanes, byte* password, nuint passwordLength, byte* salt, nuint saltLength, byte* key, nuint keyLength);

    /// <summary>Derives a key by Argon2i.</summary>
    /// <returns>0, or an error.</returns>
    [LibraryImport(Library, EntryPoint = "argon2i_hash_raw")]
    public static partial int DeriveI(
        uint passes, uint kibibytes, uint lanes, byte* password, nuint passwordLength, byte* salt, nuint saltLength, byte* key, nuint keyLength);
}
