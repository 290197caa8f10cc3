namespace DeviceMapper.Io;

/// <content>Stacking.</content>
public sealed partial record QueueLimits
{
    /// <summary>Stacks the limits of a device below, used from <paramref name="start"/> on.</summary>
    public QueueLimits Stack(QueueLimits below, Sector start) => this with
    {
        LogicalBlockSize = Math.Max(LogicalBlockSize, below.LogicalBlockSize),
        MaxDiscard = MaxDiscard.Value == 0 ? below.MaxDiscard : below.MaxDiscard.Value == 0 ? MaxDiscard : SectorCount.Min(MaxDiscard, below.MaxDiscard),
        MaxWriteZeroes = MaxWriteZeroes.Value == 0 ? below.MaxWriteZeroes : below.MaxWriteZeroes.Value == 0 ? MaxWriteZeroes : SectorCount.Min(MaxWriteZeroes, below.MaxWriteZeroes),
    };
}
