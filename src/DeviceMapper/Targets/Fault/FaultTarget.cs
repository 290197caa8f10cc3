using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Targets.Delay;

namespace DeviceMapper.Targets.Fault;

/// <summary>
/// A device that fails as its rules say: <c>fault &lt;device&gt; &lt;offset&gt; [seed=N] [cache=SIZE] [atomic=512|4096]
/// [inflight=eio|hang] [RULE...]</c>. Rules also come and go by message. For tests of what runs on it; the kernel has nothing like it.
/// </summary>
/// <remarks>
/// A bio that it maps keeps, in <see cref="Bio.ContextValue"/>, how often the power had changed when it came: odd numbers are times without
/// power. What ends in another time than it began has been cut off.
/// </remarks>
public sealed partial class FaultTarget : Target
{
    private readonly DeviceReference _device;
    private readonly Sector _offset;
    private readonly FaultOptions _options = new();
    private readonly RuleSet _rules;
    private readonly VolatileCache? _cache;
    private readonly DelayedBios _delayed;
    private readonly FaultLog _log = new();
    private volatile bool _suspending; // nothing hangs

    /// <summary>Takes the device, where its part begins, options and rules.</summary>
    public FaultTarget(TargetArguments arguments)
        : base(arguments)
    {
        arguments.Expect(2, int.MaxValue);
        _offset = arguments.Sector(1, "offset");
        _rules = new RuleSet(Length);
        int index = 2;
        for (; index < arguments.Count && _options.With(arguments[index]) is { } options; index++)
        {
            _options = options;
        }

        for (; index < arguments.Count; index++)
        {
            if (_rules.Set(Rule.Parse([arguments[index]], _options.Seed)) is { } twice)
            {
                throw arguments.Refuse(index, "rule", $"is the second rule named '{twice.Name}'");
            }
        }

        _device = arguments.Device(0);
        _cache = _options.Cache == SectorCount.Zero ? null : new VolatileCache(() => _device.Device, _options.Cache);
        _delayed = new DelayedBios(Table.Owner.Registry.Options.Time, 1, Go);
        FlushBios = 1;
        FlushSupported = true;
        DiscardBios = _cache is null ? 1 : 0;
        WriteZeroesBios = _cache is null ? 1 : 0;
        WantsEnd = true;
    }

    /// <summary>The type <c>fault</c>.</summary>
    public static TargetType Definition { get; } = new(
        "fault",
        new(1, 0, 0),
        "<device> <offset> [seed=N] [cache=SIZE] [atomic=512|4096] [inflight=eio|hang] [NAME:FIELD...]...",
        TargetFeatures.None,
        arguments => new FaultTarget(arguments));

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        SectorCount offset = bio.Operation == BioOperation.Flush ? SectorCount.Zero : OffsetOf(bio.Sector);
        bio.Device = _device.Device;
        bio.Sector = _offset + offset;
        bio.Context = null;
        bio.ContextValue = (ulong)PowerChanges;
        return _rules.Fire(bio.Operation, offset.Value, bio.Count, out SeededRandom random) is { } rule ? Apply(rule, bio, random) : Continue(bio);
    }

    /// <inheritdoc/>
    public override EndResult EndIo(Bio bio, ref BioStatus status)
    {
        FaultedBio? faulted = (FaultedBio?)bio.Context;
        bio.Context = null;
        faulted?.Copy?.Return();
        if (bio.ContextValue != (ulong)PowerChanges)
        {
            return EndCutOff(bio, ref status);
        }

        if (faulted is not null && status == BioStatus.Ok && bio.Operation == BioOperation.Read)
        {
            faulted.Cached?.CopyTo(bio.Buffer);
            faulted.FlipBits(bio.Buffer);
        }

        return EndResult.Done;
    }

    /// <summary>Lets go all that waits or hangs: a table must always be replaceable.</summary>
    public override void Presuspend()
    {
        _suspending = true;
        _delayed.SendAllAndClose();
        foreach (Rule rule in _rules.All)
        {
            GoAll(rule.Release());
        }

        EndThoseCutOff();
    }

    /// <inheritdoc/>
    public override void PresuspendUndo() => Resume();

    /// <summary>Makes durable what is cached, since the table may go; not without power.</summary>
    public override void Postsuspend()
    {
        if (_cache is not null && HasPower)
        {
            using ManualResetEventSlim done = new();
            _cache.Flush(_ => done.Set());
            done.Wait();
        }
    }

    /// <inheritdoc/>
    public override void Resume()
    {
        _suspending = false;
        _delayed.Open();
    }

    /// <summary>Power, sectors that are not durable, number of rules; then of each rule its name, how many I/Os matched, were hit, and hang.</summary>
    public override void AppendStatus(StringBuilder text, bool noflush)
    {
        IReadOnlyList<Rule> rules = _rules.All;
        text.Append($"{(HasPower ? "on" : "off")} {_cache?.DirtySectors ?? 0} {rules.Count}");
        foreach (Rule rule in rules)
        {
            text.Append($" {rule.Name} {rule.Matches} {rule.Hits} {rule.Held}");
        }
    }

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text)
    {
        text.Append($"{_device.Name} {_offset}");
        _options.AppendTo(text);
        foreach (Rule rule in _rules.All)
        {
            text.Append(' ').Append(rule);
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas => [new(_device, _offset, Length)];

    /// <inheritdoc/>
    public override QueueLimits AdjustLimits(QueueLimits limits) => _cache is null ? limits : limits with { WriteCache = true, Fua = true };

    /// <summary>Does what the rule says, if it is not to be kept.</summary>
    private MapResult Apply(Rule rule, Bio bio, SeededRandom random)
    {
        Effect effect = rule.Effect;
        _log.Add(rule.Name, effect.Text, bio.Operation, (bio.Sector - _offset).Value, bio.Count.Value);
        switch (effect.Kind)
        {
            case EffectKind.Error:
                return Finish(bio, effect.Status);
            case EffectKind.Drop:
                return Finish(bio, BioStatus.Ok);
            case EffectKind.Full:
                return Finish(bio, BioStatus.NoSpace);
            case EffectKind.Torn:
                return Tear(effect, bio, random);
            case EffectKind.Stale:
                return MapResult.Remapped;
            case EffectKind.Delay:
                return _delayed.TryAdd(bio, 0, effect.DelayOf(random)) ? MapResult.Submitted : Continue(bio);
            case EffectKind.Hang:
                return Hang(rule, bio);
            case EffectKind.Cut:
                CutPower(_options.HangInFlight);
                return Continue(bio);
            case EffectKind.Misdirect:
                bio.Sector = _offset + new SectorCount(Misdirected((bio.Sector - _offset).Value, bio.Count.Value, effect.Shift));
                return Continue(bio);
            default:
                Flip(bio, effect.Count, random);
                return Continue(bio);
        }
    }

    /// <summary>What happens to a bio that no rule keeps.</summary>
    private MapResult Continue(Bio bio)
    {
        if (!HasPower || bio.ContextValue != (ulong)PowerChanges)
        {
            return Finish(bio, BioStatus.IoError);
        }

        return _cache is null ? MapResult.Remapped : bio.Operation switch
        {
            BioOperation.Read => ReadCached(_cache, bio),
            BioOperation.Write => WriteCached(_cache, bio),
            _ => FlushCached(_cache, bio),
        };
    }

    /// <summary>A bio that was kept goes on.</summary>
    private void Go(Bio bio)
    {
        if (Continue(bio) == MapResult.Remapped)
        {
            bio.Send();
        }
    }

    private void GoAll(IReadOnlyList<Bio> bios)
    {
        foreach (Bio bio in bios)
        {
            Go(bio);
        }
    }

    private static MapResult Finish(Bio bio, BioStatus status)
    {
        bio.End(status);
        return MapResult.Submitted;
    }

    private MapResult Hang(Rule rule, Bio bio)
    {
        rule.Hold(bio);
        Table.RaiseEvent(); // for who waits until it is hit
        if (_suspending)
        {
            GoAll(rule.Release()); // the suspend may not have seen it
        }

        return MapResult.Submitted;
    }

    /// <summary>Writes only the first sectors, or random ones.</summary>
    private MapResult Tear(Effect effect, Bio bio, SeededRandom random)
    {
        if (!effect.Random)
        {
            ulong sectors = Math.Min(effect.Count / Io.Sector.Size, bio.Count.Value);
            if (sectors == 0)
            {
                return Finish(bio, BioStatus.Ok);
            }

            bio.Count = new SectorCount(sectors);
            bio.Buffer = bio.Buffer.Slice(0, (int)bio.Count.Bytes);
            return Continue(bio);
        }

        List<SectorRun> runs = [];
        for (int i = 0; i < (int)bio.Count.Value; i++)
        {
            if ((random.With((ulong)i).Value & 1) != 0)
            {
                runs.Add(new SectorRun(bio.Sector.Value + (ulong)i, bio.Buffer.Slice(i * Io.Sector.Size, Io.Sector.Size)));
            }
        }

        if (_cache is null)
        {
            RunWriter.Write(_device.Device, runs, bio.Flags, bio.End);
            return MapResult.Submitted;
        }

        foreach (SectorRun run in runs)
        {
            _cache.Write(run.Sector, run.Data);
        }

        return Finish(bio, BioStatus.Ok);
    }

    /// <summary>Where a run that is misdirected goes; it stays within the target.</summary>
    private ulong Misdirected(ulong sector, ulong count, long shift)
    {
        Int128 length = (Int128)Length.Value;
        ulong shifted = (ulong)(((((Int128)sector + shift) % length) + length) % length);
        return Math.Min(shifted, Length.Value - count);
    }

    private static void Flip(Bio bio, ulong bits, SeededRandom random)
    {
        FaultedBio faulted = new() { Flips = bits, Random = random };
        if (bio.Operation == BioOperation.Write)
        {
            faulted.Copy = BioMemory.Rent(bio.Buffer.Length);
            bio.Buffer.CopyTo(faulted.Copy.Buffer);
            bio.Buffer = faulted.Copy.Buffer;
            faulted.FlipBits(bio.Buffer);
        }

        bio.Context = faulted;
    }

    private static MapResult ReadCached(VolatileCache cache, Bio bio)
    {
        if (cache.Find(bio.Sector.Value, bio.Count.Value) is not { } cached)
        {
            return MapResult.Remapped;
        }

        FaultedBio faulted = (FaultedBio?)bio.Context ?? new FaultedBio();
        faulted.Cached = cached;
        bio.Context = faulted;
        return cached.IsComplete ? Finish(bio, BioStatus.Ok) : MapResult.Remapped;
    }

    private static MapResult WriteCached(VolatileCache cache, Bio bio)
    {
        CachedWrite write = cache.Write(bio.Sector.Value, bio.Buffer);
        if ((bio.Flags & BioFlags.Fua) == 0)
        {
            return Finish(bio, BioStatus.Ok);
        }

        cache.WriteThrough(write, bio.End);
        return MapResult.Submitted;
    }

    private static MapResult FlushCached(VolatileCache cache, Bio bio)
    {
        cache.Flush(bio.End);
        return MapResult.Submitted;
    }
}

/// <summary>What is still to be done to a bio when it ends.</summary>
internal sealed class FaultedBio
{
    /// <summary>What is written in place of the writer's memory.</summary>
    public BioMemory? Copy;

    /// <summary>What the cache had of a read.</summary>
    public CachedRead? Cached;

    /// <summary>How many bits are flipped.</summary>
    public ulong Flips;

    /// <summary>Which.</summary>
    public SeededRandom Random;

    /// <summary>Flips the bits.</summary>
    public void FlipBits(BioBuffer buffer)
    {
        Span<byte> one = stackalloc byte[1];
        for (ulong i = 0; i < Flips; i++)
        {
            ulong bit = Random.With(i).Below((ulong)buffer.Length * 8);
            BioBuffer at = buffer.Slice((int)(bit / 8), 1);
            at.CopyTo(one);
            one[0] ^= (byte)(1 << (int)(bit % 8));
            at.CopyFrom(one);
        }
    }
}
