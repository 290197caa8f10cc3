using System.Runtime.Intrinsics;

namespace DeviceMapper.Targets.Verity;

/// <summary>
/// The Reed-Solomon code RS(255, 255 - roots) over GF(2^8) with the polynomial 0x11d, whose generator has the roots
/// α^0 to α^(roots-1): that of the kernel's <c>lib/reed_solomon</c> with verity's parameters.
/// </summary>
internal sealed class ReedSolomon
{
    /// <summary>Bytes of a codeword, the parity at its end.</summary>
    public const int Length = 255;

    private const int Order = 255; // of the group
    private const int MostRoots = 24;

    private static readonly byte[] _power = MakePowers(); // α^i, twice over
    private static readonly byte[] _log = MakeLogs();

    private readonly int _roots;

    /// <summary>That for codewords with so many bytes of parity, at most 24.</summary>
    public ReedSolomon(int roots) => _roots = roots;

    /// <summary>Corrects a codeword in place.</summary>
    /// <param name="codeword">255 bytes.</param>
    /// <param name="erasures">Places in it whose bytes are known to be bad; at most as many as there are roots.</param>
    /// <returns>Whether it is a codeword now. Beyond the code's strength this may be true, and the bytes wrong.</returns>
    public bool TryCorrect(Span<byte> codeword, ReadOnlySpan<int> erasures)
    {
        Span<byte> syndromes = stackalloc byte[MostRoots];
        if (!Syndromes(codeword, syndromes))
        {
            return true;
        }

        Span<byte> locator = stackalloc byte[MostRoots + 1];
        int degree = FindLocator(syndromes, erasures, locator);
        Span<byte> evaluator = stackalloc byte[MostRoots];
        for (int i = 0; i < _roots; i++)
        {
            byte sum = 0;
            for (int j = 0; j <= Math.Min(i, degree); j++)
            {
                sum ^= Multiply(locator[j], syndromes[i - j]);
            }

            evaluator[i] = sum;
        }

        // An error at place j, whose power of x is 254 - j, makes the locator zero at the inverse of α^(254 - j).
        int found = 0;
        Span<int> places = stackalloc int[MostRoots];
        Span<byte> magnitudes = stackalloc byte[MostRoots];
        for (int place = 0; place < Length && found < degree; place++)
        {
            int inverse = (Order - (Length - 1 - place)) % Order;
            if (Evaluate(locator[..(degree + 1)], inverse) != 0)
            {
                continue;
            }

            byte slope = 0; // of the locator: its odd coefficients, one power lower
            for (int i = 1; i <= degree; i += 2)
            {
                slope ^= Multiply(locator[i], _power[inverse * (i - 1) % Order]);
            }

            if (slope == 0)
            {
                return false;
            }

            places[found] = place;
            magnitudes[found++] = Multiply(Divide(Evaluate(evaluator[.._roots], inverse), slope), _power[Length - 1 - place]);
        }

        if (found != degree || degree == 0)
        {
            return false;
        }

        for (int i = 0; i < found; i++)
        {
            codeword[places[i]] ^= magnitudes[i];
        }

        return true;
    }

    /// <summary>Makes the parity of blocks, of whose bytes at one place the data of a codeword is made.</summary>
    /// <param name="blocks">255 - roots blocks, one after the other.</param>
    /// <param name="blockSize">Bytes of each, a multiple of 16.</param>
    /// <param name="parity">A block's number of times the roots: the parity of each codeword, one after the other.</param>
    public void Encode(ReadOnlySpan<byte> blocks, int blockSize, Span<byte> parity)
    {
        Span<Vector128<byte>> low = stackalloc Vector128<byte>[MostRoots]; // products of the generator's coefficients with 0 to 15
        Span<Vector128<byte>> high = stackalloc Vector128<byte>[MostRoots]; // and with 16 times that
        MakeProducts(low, high);
        Span<Vector128<byte>> remainder = stackalloc Vector128<byte>[MostRoots + 1]; // of 16 codewords at once
        for (int column = 0; column < blockSize; column += Vector128<byte>.Count)
        {
            remainder.Clear();
            for (int block = 0; block < Length - _roots; block++)
            {
                Vector128<byte> feedback = Vector128.Create(blocks.Slice((block * blockSize) + column, Vector128<byte>.Count)) ^ remainder[0];
                Vector128<byte> lowDigits = feedback & Vector128.Create((byte)15);
                Vector128<byte> highDigits = Vector128.ShiftRightLogical(feedback, 4);
                for (int root = 0; root < _roots; root++)
                {
                    remainder[root] = remainder[root + 1] ^ Vector128.Shuffle(low[root], lowDigits) ^ Vector128.Shuffle(high[root], highDigits);
                }
            }

            for (int i = 0; i < Vector128<byte>.Count; i++)
            {
                for (int root = 0; root < _roots; root++)
                {
                    parity[((column + i) * _roots) + root] = remainder[root][i];
                }
            }
        }
    }

    private void MakeProducts(Span<Vector128<byte>> low, Span<Vector128<byte>> high)
    {
        Span<byte> generator = stackalloc byte[MostRoots + 1];
        generator[0] = 1;
        for (int root = 0; root < _roots; root++)
        {
            for (int i = root + 1; i > 0; i--)
            {
                generator[i] = (byte)(generator[i - 1] ^ Multiply(generator[i], _power[root]));
            }

            generator[0] = Multiply(generator[0], _power[root]);
        }

        Span<byte> products = stackalloc byte[32];
        for (int root = 0; root < _roots; root++)
        {
            for (int digit = 0; digit < 16; digit++)
            {
                products[digit] = Multiply(generator[_roots - 1 - root], (byte)digit);
                products[16 + digit] = Multiply(generator[_roots - 1 - root], (byte)(digit << 4));
            }

            low[root] = Vector128.Create(products[..16]);
            high[root] = Vector128.Create(products[16..]);
        }
    }

    /// <summary>The codeword's values at the generator's roots.</summary>
    /// <returns>Whether one of them is not zero, so that something is wrong.</returns>
    private bool Syndromes(ReadOnlySpan<byte> codeword, Span<byte> syndromes)
    {
        bool wrong = false;
        for (int root = 0; root < _roots; root++)
        {
            byte sum = 0;
            foreach (byte b in codeword)
            {
                sum = (byte)(b ^ (sum == 0 ? 0 : _power[_log[sum] + root]));
            }

            syndromes[root] = sum;
            wrong |= sum != 0;
        }

        return wrong;
    }

    /// <summary>Berlekamp and Massey's algorithm, started from the erasures.</summary>
    /// <returns>The degree of the locator.</returns>
    private int FindLocator(ReadOnlySpan<byte> syndromes, ReadOnlySpan<int> erasures, Span<byte> locator)
    {
        locator.Clear();
        locator[0] = 1;
        for (int e = 0; e < erasures.Length; e++)
        {
            byte x = _power[Length - 1 - erasures[e]];
            for (int i = e + 1; i > 0; i--)
            {
                locator[i] ^= Multiply(locator[i - 1], x);
            }
        }

        Span<byte> before = stackalloc byte[MostRoots + 1];
        Span<byte> next = stackalloc byte[MostRoots + 1];
        locator.CopyTo(before);
        int errors = erasures.Length;
        for (int step = erasures.Length + 1; step <= _roots; step++)
        {
            byte discrepancy = 0;
            for (int i = 0; i < step; i++)
            {
                discrepancy ^= Multiply(locator[i], syndromes[step - 1 - i]);
            }

            if (discrepancy == 0)
            {
                ShiftUp(before);
                continue;
            }

            next[0] = locator[0];
            for (int i = 0; i < _roots; i++)
            {
                next[i + 1] = (byte)(locator[i + 1] ^ Multiply(discrepancy, before[i]));
            }

            if (2 * errors <= step + erasures.Length - 1)
            {
                errors = step + erasures.Length - errors;
                for (int i = 0; i <= _roots; i++)
                {
                    before[i] = Divide(locator[i], discrepancy);
                }
            }
            else
            {
                ShiftUp(before);
            }

            next.CopyTo(locator);
        }

        int degree = _roots;
        while (locator[degree] == 0)
        {
            degree--;
        }

        return degree;
    }

    private void ShiftUp(Span<byte> polynomial)
    {
        polynomial[.._roots].CopyTo(polynomial[1..]);
        polynomial[0] = 0;
    }

    private static byte Evaluate(ReadOnlySpan<byte> polynomial, int logOfX)
    {
        byte sum = 0;
        for (int i = 0; i < polynomial.Length; i++)
        {
            sum ^= Multiply(polynomial[i], _power[logOfX * i % Order]);
        }

        return sum;
    }

    private static byte Multiply(byte a, byte b) => a == 0 || b == 0 ? (byte)0 : _power[_log[a] + _log[b]];

    private static byte Divide(byte a, byte b) => a == 0 ? (byte)0 : _power[_log[a] + Order - _log[b]];

    private static byte[] MakePowers()
    {
        byte[] powers = new byte[2 * Order];
        int value = 1;
        for (int i = 0; i < Order; i++)
        {
            powers[i] = powers[i + Order] = (byte)value;
            value <<= 1;
            value ^= (value >> 8) * 0x11d;
        }

        return powers;
    }

    private static byte[] MakeLogs()
    {
        byte[] logs = new byte[256];
        for (int i = 0; i < Order; i++)
        {
            logs[_power[i]] = (byte)i;
        }

        return logs;
    }
}
