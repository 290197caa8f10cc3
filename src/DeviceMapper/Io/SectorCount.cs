namespace DeviceMapper.Io;

/// <summary>A length or a size, in sectors of 512 bytes.</summary>
public readonly record struct SectorCount(ulong Value) : IComparable<SectorCount>
{
    /// <summary>No sectors.</summary>
    public static SectorCount Zero => default;

    /// <summary>The length in bytes.</summary>
    public ulong Bytes => Value << Sector.Shift;

    /// <summary>The whole sectors in a number of bytes.</summary>
    public static SectorCount FromBytes(ulong bytes) => new(bytes >> Sector.Shift);

    /// <summary>The shorter of two lengths.</summary>
    public static SectorCount Min(SectorCount a, SectorCount b) => a.Value < b.Value ? a : b;

    /// <inheritdoc/>
    public int CompareTo(SectorCount other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString();

    /// <summary>The sum of two lengths.</summary>
    public static SectorCount operator +(SectorCount a, SectorCount b) => new(a.Value + b.Value);

    /// <summary>What is left of <paramref name="a"/> after <paramref name="b"/>.</summary>
    public static SectorCount operator -(SectorCount a, SectorCount b) => new(a.Value - b.Value);

    /// <summary>Compares lengths.</summary>
    public static bool operator <(SectorCount a, SectorCount b) => a.Value < b.Value;

    /// <summary>Compares lengths.</summary>
    public static bool operator >(SectorCount a, SectorCount b) => a.Value > b.Value;

    /// <summary>Compares lengths.</summary>
    public static bool operator <=(SectorCount a, SectorCount b) => a.Value <= b.Value;

    /// <summary>Compares lengths.</summary>
    public static bool operator >=(SectorCount a, SectorCount b) => a.Value >= b.Value;
}
