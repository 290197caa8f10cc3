using System.Diagnostics;

namespace DeviceMapper.Volumes.Luks;

/// <summary>Chooses how slow the derivation of a new keyslot's key is: two seconds on this machine, as cryptsetup does.</summary>
internal static class KeyDerivationCost
{
    private const double Seconds = 2;
    private const int ProbedRounds = 100_000; // of PBKDF2; also the fewest
    private const int ProbedMemory = 64 << 10; // KiB of Argon2; also the least
    private const int MostMemory = 1 << 20; // KiB
    private const int FewestPasses = 4;

    /// <summary>The derivation of a new keyslot.</summary>
    public static KeyDerivation Choose(LuksFormat format, byte[] salt)
    {
        if (format.DerivationOrDefault == "pbkdf2")
        {
            KeyDerivation rounds = KeyDerivation.Pbkdf2(format.Hash, format.Iterations ?? ProbedRounds, salt);
            return format.Iterations is null
                ? rounds with { Iterations = (int)Math.Clamp(ProbedRounds * Scale(rounds, format.KeyslotKeySize), ProbedRounds, int.MaxValue) }
                : rounds;
        }

        int lanes = Math.Min(4, Environment.ProcessorCount);
        KeyDerivation passes = new(format.DerivationOrDefault, "", format.Iterations ?? FewestPasses, format.Memory ?? ProbedMemory, lanes, salt);
        if (format.Memory is not null && format.Iterations is not null)
        {
            return passes;
        }

        double scale = Scale(passes, format.KeyslotKeySize);
        if (format.Memory is null)
        {
            long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2 / 1024;
            int memory = (int)Math.Clamp(ProbedMemory * scale, ProbedMemory, Math.Max(ProbedMemory, Math.Min(MostMemory, available)));
            scale *= (double)ProbedMemory / memory;
            passes = passes with { Memory = memory };
        }

        return format.Iterations is null
            ? passes with { Iterations = (int)Math.Clamp(FewestPasses * scale, FewestPasses, int.MaxValue) }
            : passes;
    }

    // How many times as much would take the time.
    private static double Scale(KeyDerivation derivation, int keySize)
    {
        byte[] key = new byte[keySize];
        long start = Stopwatch.GetTimestamp();
        derivation.Derive("a passphrase"u8, key);
        return Seconds / Math.Max(Stopwatch.GetElapsedTime(start).TotalSeconds, 1e-6);
    }
}
