using DeviceMapper.Cryptography;

namespace DeviceMapper.Volumes.Integrity;

/// <summary>A hash or cipher of an integrity device, with its key where it has one.</summary>
/// <param name="Name">The kernel's name, as <c>crc32c</c> and <c>hmac(sha256)</c>, or integritysetup's, as <c>hmac-sha256</c>.</param>
/// <param name="Key">Null without.</param>
public sealed record IntegrityKey(string Name, SecretMemory? Key = null)
{
    /// <summary>The kernel's name: integritysetup has no parentheses, but a hyphen before what is no number.</summary>
    public string KernelName =>
        Name.Split('-', 2) is [string mode, { Length: > 0 } of] && !Name.Contains('(', StringComparison.Ordinal) && !char.IsDigit(of[0]) ? $"{mode}({of})" : Name;

    /// <summary>The word of a table.</summary>
    /// <param name="option">The option that it is for.</param>
    /// <param name="keyring">How the keyring's names of the table's keys start; null: the key's digits are in the word.</param>
    internal string Word(string option, string? keyring) => Key is null ? $"{option}:{KernelName}"
        : keyring is null ? $"{option}:{KernelName}:{Convert.ToHexStringLower(Key.Span)}"
        : $"{option}:{KernelName}::{Key.Length}:{Keyring.Passed}:{keyring}{option}";
}
