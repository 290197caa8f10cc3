namespace DeviceMapper.Targets.Fault;

/// <summary>
/// Random numbers that depend on nothing but a seed and what they are for: the same I/Os give the same faults, on any number of threads.
/// </summary>
internal readonly struct SeededRandom
{
    private readonly ulong _state;

    private SeededRandom(ulong state) => _state = state;

    /// <summary>The numbers of a seed.</summary>
    public static SeededRandom Of(ulong seed) => new(Mix(seed));

    /// <summary>Other numbers, which depend on these and on a number.</summary>
    public SeededRandom With(ulong number) => new(Mix(_state ^ Mix(number + 0x9e3779b97f4a7c15)));

    /// <summary>Other numbers, which depend on these and on a name.</summary>
    public SeededRandom With(string name)
    {
        SeededRandom random = this;
        foreach (char c in name)
        {
            random = random.With(c);
        }

        return random;
    }

    /// <summary>Its number, of 64 bits.</summary>
    public ulong Value => _state;

    /// <summary>Its number, from 0 to below 1.</summary>
    public double Fraction => (_state >> 11) * (1.0 / (1UL << 53));

    /// <summary>Its number, from 0 to below a bound.</summary>
    public ulong Below(ulong bound) => (ulong)(((UInt128)_state * bound) >> 64);

    /// <summary>The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).</summary>
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}
