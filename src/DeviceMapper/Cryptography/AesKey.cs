using System.Numerics;
using System.Runtime.Intrinsics;
using DeviceMapper.Native;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace DeviceMapper.Cryptography;

/// <summary>The round keys of AES, of both directions, in secret memory (FIPS 197, 5.2 and 5.3.5).</summary>
internal sealed unsafe class AesKey : IDisposable
{
    private const int LargestRounds = 14;
    private readonly SecretMemory _schedule = new(2 * (LargestRounds + 1) * 16);

    /// <summary>10, 12 or 14, by the size of the key.</summary>
    public int Rounds { get; private set; }

    /// <summary><see cref="Rounds"/> + 1 round keys, in the order in which encryption uses them.</summary>
    public Vector128<byte>* Encrypting => (Vector128<byte>*)_schedule.Address;

    /// <summary><see cref="Rounds"/> + 1 round keys, in the order in which the equivalent inverse cipher uses them.</summary>
    public Vector128<byte>* Decrypting => (Vector128<byte>*)_schedule.Address + LargestRounds + 1;

    /// <summary>Expands a key of 16, 24 or 32 bytes.</summary>
    public void Set(ReadOnlySpan<byte> key)
    {
        if (key.Length is not (16 or 24 or 32))
        {
            throw new DmException(Errno.EINVAL, $"aes takes keys of 16, 24 or 32 bytes, not of {key.Length}");
        }

        int words = key.Length / 4;
        Rounds = words + 6;
        key.CopyTo(_schedule.Span);
        uint* w = (uint*)_schedule.Address;
        uint constant = 1;
        for (int i = words; i < 4 * (Rounds + 1); i++)
        {
            uint word = w[i - 1];
            if (i % words == 0)
            {
                word = BitOperations.RotateRight(SubstituteBytes(word), 8) ^ constant;
                constant = (constant << 1) ^ (constant >> 7) * 0x11bu;
            }
            else if (words == 8 && i % words == 4)
            {
                word = SubstituteBytes(word);
            }

            w[i] = w[i - words] ^ word;
        }

        Decrypting[0] = Encrypting[Rounds];
        for (int round = 1; round < Rounds; round++)
        {
            Decrypting[round] = X86Aes.InverseMixColumns(Encrypting[Rounds - round]);
        }

        Decrypting[Rounds] = Encrypting[0];
    }

    /// <inheritdoc/>
    public void Dispose() => _schedule.Dispose();

    /// <summary>The S-box on each byte: a last round on four equal columns, which its shift of rows leaves in place.</summary>
    private static uint SubstituteBytes(uint word) =>
        X86Aes.EncryptLast(Vector128.Create(word).AsByte(), Vector128<byte>.Zero).AsUInt32()[0];
}
