using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Arm = System.Runtime.Intrinsics.Arm;
using X86 = System.Runtime.Intrinsics.X86;

namespace DeviceMapper.Cryptography.Digests;

/// <summary>POLYVAL, the keyed hash of AES-GCM-SIV (RFC 8452, 3) and HCTR2, one block after the other.</summary>
/// <param name="key"><see cref="BlockSize"/> bytes.</param>
internal struct Polyval(ReadOnlySpan<byte> key)
{
    /// <summary>Bytes of key, block and hash.</summary>
    public const int BlockSize = 16;

    private const ulong Reduction = 0xc200000000000000; // x^127 + x^126 + x^121, of the field's polynomial

    private readonly Vector128<ulong> _key = MemoryMarshal.Read<Vector128<ulong>>(key);
    private Vector128<ulong> _sum;

    /// <summary>Takes whole blocks.</summary>
    public void Add(ReadOnlySpan<byte> blocks)
    {
        foreach (Vector128<ulong> block in MemoryMarshal.Cast<byte, Vector128<ulong>>(blocks))
        {
            _sum = Multiply(_sum ^ block, _key);
        }
    }

    /// <summary>The hash.</summary>
    public readonly Vector128<byte> Finish() => _sum.AsByte();

    /// <summary>The product of two polynomials of degree below 64, the first coefficient in the lowest bit.</summary>
    internal static Vector128<ulong> MultiplySlowly(ulong a, ulong b)
    {
        UInt128 product = 0;
        for (int i = 0; i < 64; i++)
        {
            product ^= ((UInt128)a << i) & (0 - (UInt128)((b >> i) & 1)); // the same steps for all keys
        }

        return Vector128.Create((ulong)product, (ulong)(product >> 64));
    }

    /// <summary>a b / x^128 in the field, the division by two halves (Montgomery's reduction).</summary>
    private static Vector128<ulong> Multiply(Vector128<ulong> a, Vector128<ulong> b)
    {
        Vector128<ulong> low = Multiply(a[0], b[0]);
        Vector128<ulong> high = Multiply(a[1], b[1]);
        Vector128<ulong> middle = Multiply(a[0], b[1]) ^ Multiply(a[1], b[0]);
        low ^= Vector128.Create(0, middle[0]);
        high ^= Vector128.Create(middle[1], 0);
        low = Multiply(low[0], Reduction) ^ Vector128.Create(low[1], low[0]);
        low = Multiply(low[0], Reduction) ^ Vector128.Create(low[1], low[0]);
        return high ^ low;
    }

    internal static Vector128<ulong> Multiply(ulong a, ulong b) =>
        X86.Pclmulqdq.IsSupported ? X86.Pclmulqdq.CarrylessMultiply(Vector128.CreateScalar(a), Vector128.CreateScalar(b), 0)
        : Arm.Aes.IsSupported ? Arm.Aes.PolynomialMultiplyWideningLower(Vector64.Create(a), Vector64.Create(b))
        : MultiplySlowly(a, b);
}
