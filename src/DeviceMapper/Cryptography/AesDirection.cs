using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace DeviceMapper.Cryptography;

/// <summary>Encryption or decryption with AES: a type argument, so that one text of a loop becomes two tight loops.</summary>
internal unsafe interface IAesDirection
{
    /// <summary>The round keys of this direction.</summary>
    static abstract Vector128<byte>* Keys(AesKey key);

    /// <summary>A round but the last.</summary>
    static abstract Vector128<byte> Round(Vector128<byte> block, Vector128<byte> key);

    /// <summary>The last round.</summary>
    static abstract Vector128<byte> LastRound(Vector128<byte> block, Vector128<byte> key);
}

/// <summary>Encryption.</summary>
internal readonly unsafe struct AesEncryption : IAesDirection
{
    /// <inheritdoc/>
    public static Vector128<byte>* Keys(AesKey key) => key.Encrypting;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Round(Vector128<byte> block, Vector128<byte> key) => X86Aes.Encrypt(block, key);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LastRound(Vector128<byte> block, Vector128<byte> key) => X86Aes.EncryptLast(block, key);
}

/// <summary>Decryption, by the equivalent inverse cipher.</summary>
internal readonly unsafe struct AesDecryption : IAesDirection
{
    /// <inheritdoc/>
    public static Vector128<byte>* Keys(AesKey key) => key.Decrypting;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Round(Vector128<byte> block, Vector128<byte> key) => X86Aes.Decrypt(block, key);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LastRound(Vector128<byte> block, Vector128<byte> key) => X86Aes.DecryptLast(block, key);
}
