using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Volumes;

/// <summary>Writes zeroes through a device, so that all of it has tags.</summary>
internal static class DeviceWipe
{
    /// <summary>Writes them, and flushes.</summary>
    /// <param name="device">What they go through.</param>
    /// <param name="length">From its start.</param>
    /// <param name="progress">Is told how many bytes are written.</param>
    /// <exception cref="DmException">A write fails.</exception>
    public static void WriteZeroes(MappedDevice device, SectorCount length, IProgress<ulong>? progress)
    {
        BufferSegment zeroes = BufferPool.Rent(BufferPool.MaxLength);
        try
        {
            zeroes.Span.Clear();
            for (ulong sector = 0; sector < length.Value;)
            {
                SectorCount count = SectorCount.Min(SectorCount.FromBytes((ulong)zeroes.Length), new SectorCount(length.Value - sector));
                BioStatus status = BlockingIo.Write(device, new Sector(sector), new BioBuffer(zeroes.Address, (int)count.Bytes));
                if (status != BioStatus.Ok)
                {
                    throw new DmException(status.ToErrno(), $"zeroes could not be written at sector {sector}: what follows has no tags yet");
                }

                sector += count.Value;
                progress?.Report(sector * Sector.Size);
            }

            BlockingIo.Flush(device);
        }
        finally
        {
            BufferPool.Return(zeroes);
        }
    }
}
