namespace DeviceMapper.Mapping;

/// <summary>What <c>HDIO_GETGEO</c> tells of a disk, for programs that still ask.</summary>
/// <param name="Cylinders">At most 65535.</param>
/// <param name="Heads">At most 255.</param>
/// <param name="Sectors">For each track, at most 255.</param>
/// <param name="Start">The first sector on the disk that it is part of; not beyond the geometry.</param>
public readonly record struct DiskGeometry(ulong Cylinders, ulong Heads, ulong Sectors, ulong Start);
