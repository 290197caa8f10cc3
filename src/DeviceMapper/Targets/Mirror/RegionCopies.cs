using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Mirror;

/// <summary>
/// Copies one region at a time from the default leg to all others, at the same time. Each copy reads the region for itself: with two legs that is once.
/// </summary>
/// <param name="legs">The legs.</param>
/// <param name="regionSize">In sectors.</param>
/// <param name="length">Of the mirror.</param>
/// <param name="ended">Called when all have ended, on any thread.</param>
internal sealed class RegionCopies(MirrorLegs legs, uint regionSize, SectorCount length, Action ended)
{
    private readonly Copier _copier = new();
    private LegCopy[]? _copies;
    private int _left;

    /// <summary>The leg that is copied from.</summary>
    public int Source { get; private set; }

    /// <summary>Whether it could not be read.</summary>
    public bool ReadFailed => _copies!.Any(c => c.ReadFailed);

    /// <summary>The legs that could not be written to.</summary>
    public IEnumerable<int> WriteFailed => _copies!.Where(c => c.WriteFailed).Select(c => c.Leg);

    /// <summary>Starts to copy a region.</summary>
    public void Start(int region)
    {
        Source = legs.Default;
        _copies ??= [.. Enumerable.Range(0, legs.Count - 1).Select(_ => new LegCopy(this))];
        _left = _copies.Length + 1;
        ulong start = (ulong)region * regionSize;
        SectorCount count = new(Math.Min(regionSize, length.Value - start));
        for (int i = 0; i < _copies.Length; i++)
        {
            _copies[i].Prepare(i < Source ? i : i + 1, new SectorCount(start), count);
            _copier.Start(_copies[i]);
        }

        EndOne();
    }

    private void EndOne()
    {
        if (Interlocked.Decrement(ref _left) == 0)
        {
            ended();
        }
    }

    /// <summary>The copy to one leg.</summary>
    private sealed class LegCopy(RegionCopies owner) : CopyJob
    {
        public int Leg { get; private set; }

        public bool ReadFailed { get; private set; }

        public bool WriteFailed { get; private set; }

        public void Prepare(int leg, SectorCount start, SectorCount count)
        {
            MirrorLeg from = owner.Legs[owner.Source], to = owner.Legs[leg];
            Leg = leg;
            Source = from.Device.Device;
            SourceSector = from.Offset + start;
            Destination = to.Device.Device;
            DestinationSector = to.Offset + start;
            CopyLength = count;
        }

        protected override void CopyEnded(BioStatus read, BioStatus write)
        {
            ReadFailed = read != BioStatus.Ok;
            WriteFailed = write != BioStatus.Ok;
            owner.EndOne();
        }
    }

    private MirrorLegs Legs => legs;
}
