using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace DeviceMapper.Io;

/// <summary>A device's number, <c>major:minor</c>, as the kernel's <c>dev_t</c>: 12 bits of major, 20 of minor.</summary>
public readonly record struct DeviceNumber(uint Major, uint Minor)
{
    /// <summary>The largest major, 2^12 - 1.</summary>
    public const uint MaxMajor = (1 << 12) - 1;

    /// <summary>The largest minor, 2^20 - 1.</summary>
    public const uint MaxMinor = (1 << 20) - 1;

    /// <summary>The number in the 64-bit form that the dm ioctls use (the kernel's <c>huge_encode_dev</c>).</summary>
    public ulong Encoded => (Minor & 0xffu) | ((ulong)Major << 8) | ((ulong)(Minor & ~0xffu) << 12);

    /// <summary>Reads the 64-bit form of the dm ioctls.</summary>
    public static DeviceNumber Decode(ulong encoded) =>
        new((uint)((encoded & 0xfff00) >> 8), (uint)((encoded & 0xff) | ((encoded >> 12) & 0xfff00)));

    /// <summary>Splits a <c>st_rdev</c> or <c>st_dev</c> of glibc's <c>stat</c>.</summary>
    public static DeviceNumber FromStat(ulong dev) =>
        new((uint)(((dev >> 8) & 0xfff) | ((dev >> 32) & ~0xffful)), (uint)((dev & 0xff) | ((dev >> 12) & ~0xffu)));

    /// <summary>Reads <c>major:minor</c> in decimal.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out DeviceNumber number)
    {
        number = default;
        int colon = text?.IndexOf(':') ?? -1;
        if (colon <= 0
            || !uint.TryParse(text.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out uint major)
            || !uint.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out uint minor))
        {
            return false;
        }

        number = new DeviceNumber(major, minor);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Major}:{Minor}";
}
