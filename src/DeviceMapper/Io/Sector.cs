namespace DeviceMapper.Io;

/// <summary>An address on a device, in sectors of 512 bytes.</summary>
public readonly record struct Sector(ulong Value) : IComparable<Sector>
{
    /// <summary>Bytes in a sector. The device mapper's unit, whatever the device's logical block size is.</summary>
    public const int Size = 512;

    /// <summary>log2 of <see cref="Size"/>.</summary>
    public const int Shift = 9;

    /// <summary>The address in bytes.</summary>
    public ulong Bytes => Value << Shift;

    /// <summary>The sector that holds a byte.</summary>
    /// <param name="bytes">An offset in bytes.</param>
    public static Sector FromBytes(ulong bytes) => new(bytes >> Shift);

    /// <inheritdoc/>
    public int CompareTo(Sector other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString();

    /// <summary>The sector that lies <paramref name="count"/> further.</summary>
    public static Sector operator +(Sector sector, SectorCount count) => new(sector.Value + count.Value);

    /// <summary>The sector that lies <paramref name="count"/> before.</summary>
    public static Sector operator -(Sector sector, SectorCount count) => new(sector.Value - count.Value);

    /// <summary>The distance of two sectors; <paramref name="to"/> must not lie before <paramref name="from"/>.</summary>
    public static SectorCount operator -(Sector to, Sector from) => new(to.Value - from.Value);

    /// <summary>Compares addresses.</summary>
    public static bool operator <(Sector a, Sector b) => a.Value < b.Value;

    /// <summary>Compares addresses.</summary>
    public static bool operator >(Sector a, Sector b) => a.Value > b.Value;

    /// <summary>Compares addresses.</summary>
    public static bool operator <=(Sector a, Sector b) => a.Value <= b.Value;

    /// <summary>Compares addresses.</summary>
    public static bool operator >=(Sector a, Sector b) => a.Value >= b.Value;
}
