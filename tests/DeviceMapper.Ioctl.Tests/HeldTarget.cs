using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Targets;

namespace DeviceMapper.Ioctl.Tests;

/// <summary>A target that keeps what it is given until the test lets it go: <c>held</c>.</summary>
internal sealed class HeldTarget(TargetArguments arguments) : Target(arguments)
{
    private Bio? _kept;

    /// <summary>The type, whose targets are put on a list.</summary>
    public static TargetType TypeFor(List<HeldTarget> made) => new("held", new(1, 2, 3), "", TargetFeatures.None, arguments =>
    {
        HeldTarget target = new(arguments);
        made.Add(target);
        return target;
    });

    public override MapResult Map(Bio bio)
    {
        Volatile.Write(ref _kept, bio);
        return MapResult.Submitted;
    }

    /// <summary>Ends what it keeps, if anything.</summary>
    public void LetGo() => Interlocked.Exchange(ref _kept, null)?.End(BioStatus.Ok);

    /// <summary>Sends a device a read, which its target keeps.</summary>
    public static void Read(MappedDevice device)
    {
        Bio bio = Bio.Rent();
        bio.Operation = BioOperation.Read;
        bio.Device = device;
        bio.Sector = default;
        bio.Count = new SectorCount(1);
        bio.Buffer = new BioBuffer(BufferPool.Rent(512).Address, 512);
        bio.Submit(new Returned());
    }

    private sealed class Returned : IBioCompletion
    {
        public void BioEnded(Bio bio) => bio.Return();
    }
}
