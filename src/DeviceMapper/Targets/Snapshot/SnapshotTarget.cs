using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Targets.Snapshots;

namespace DeviceMapper.Targets;

/// <summary>
/// A device as it was at one moment, and may be written to: <c>snapshot &lt;origin&gt; &lt;COW device&gt; &lt;P|PO|N&gt; &lt;chunk size&gt;
/// [&lt;#features&gt; [discard_zeroes_cow] [discard_passdown_origin]]</c> (drivers/md/dm-snap.c). What is overwritten on the
/// origin, or written here, is in chunks on the COW device; all else is read from the origin.
/// </summary>
/// <remarks>
/// A second target with the same COW device, resumed while the first is suspended, takes the snapshot over. As in the kernel, sectors are
/// those of the mapped device, wherever the target starts.
/// </remarks>
public class SnapshotTarget : Target
{
    private const int StoreArgument = 2;
    private const int ChunkArgument = 3;

    private readonly DeviceReference _origin;
    private readonly DeviceReference _cow;
    private readonly SnapshotDevices _devices;
    private readonly bool _discardZeroesCow;
    private readonly bool _discardPassdownOrigin;
    private bool _active; // guarded by the origins' lock: it has been resumed

    /// <summary>Takes the devices, and reads the exceptions from the COW device unless another target has them.</summary>
    public SnapshotTarget(TargetArguments arguments)
        : base(arguments)
    {
        arguments.Expect(4, int.MaxValue);
        (_discardZeroesCow, _discardPassdownOrigin) = ParseFeatures(arguments);
        bool merges = this is SnapshotMergeTarget;
        _origin = arguments.Device(0, "origin", merges ? DeviceMode.ReadWrite : DeviceMode.ReadOnly);
        _cow = OpenCow(arguments);
        if (_cow.TableDevice.Identity == _origin.TableDevice.Identity)
        {
            throw arguments.Refuse(1, "COW device", "is the origin as well");
        }

        _devices = new SnapshotDevices(_origin, _cow);
        ExceptionStore store = CreateStore(arguments);
        Origins origins = Origins.Of(Table.Owner.Registry);
        Snapshot = new Snapshot(store, _devices, origins.Get(_origin));
        FlushBios = merges ? 2 : 1;
        DiscardBios = !_discardZeroesCow ? 0 : _discardPassdownOrigin ? 2 : 1;
        SplitsDiscards = true;
        WantsEnd = true;
        try
        {
            if (Register(arguments, origins))
            {
                store.ChunkSize = 0; // that of the snapshot that it takes over, at the resume
                return;
            }

            Load(store);
        }
        catch
        {
            Leave();
            throw;
        }
    }

    /// <summary>The type <c>snapshot</c>.</summary>
    public static TargetType Definition { get; } = new(
        "snapshot", new(1, 16, 0), Grammar, TargetFeatures.None, arguments => new SnapshotTarget(arguments));

    /// <summary>The arguments of both types.</summary>
    protected const string Grammar = "<origin> <COW device> <P|PO|N> <chunk size> [<#features> [discard_zeroes_cow] [discard_passdown_origin]]";

    /// <summary>The snapshot that it shows; another after a handover.</summary>
    private protected Snapshot Snapshot { get; private set; }

    /// <summary>The origin.</summary>
    private protected BlockDevice OriginDevice => _origin.Device;

    /// <summary>The COW device.</summary>
    private protected BlockDevice CowDevice => _cow.Device;

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        Snapshot snapshot = Snapshot;
        bio.ContextValue = 0;
        if (bio.Operation == BioOperation.Flush)
        {
            bio.Device = _cow.Device;
            return MapResult.Remapped;
        }

        if (!snapshot.IsValid || (snapshot.Overflowed && bio.IsWrite))
        {
            return MapResult.Kill;
        }

        ulong chunk = snapshot.ChunkOf(bio.Sector);
        if (bio.Operation == BioOperation.Discard)
        {
            return MapDiscard(bio, snapshot, chunk);
        }

        if (snapshot.Exceptions.TryFind(chunk, out ulong newChunk))
        {
            snapshot.Remap(bio, newChunk);
            return MapResult.Remapped;
        }

        if (!bio.IsWrite)
        {
            return MapToOrigin(bio, snapshot, chunk);
        }

        if (snapshot.Write(bio, chunk, out PendingException? whole))
        {
            return MapResult.Submitted;
        }

        bio.Context = whole;
        return MapResult.Remapped;
    }

    /// <inheritdoc/>
    public override EndResult EndIo(Bio bio, ref BioStatus status)
    {
        if (bio.ContextValue != 0)
        {
            Snapshot.EndRead(bio.ContextValue - 1);
        }
        else if (bio.Context is PendingException whole)
        {
            whole.WholeBioEnded(status);
            return EndResult.Incomplete;
        }

        return EndResult.Done;
    }

    /// <summary>Refuses to resume the source of a handover, and the target that waits for one whose source is not suspended.</summary>
    public override void Preresume()
    {
        lock (Snapshot.Origin.Origins.Lock)
        {
            (SnapshotTarget? source, SnapshotTarget? destination) = FindPair();
            if (source is null || destination is null)
            {
                return;
            }

            if (source == this)
            {
                throw new DmException(
                    Errno.EINVAL,
                    $"{Type.Name}: '{destination.Table.Owner.Name}' is about to take this snapshot over: resume or clear that one first");
            }

            if (!source.Table.Owner.IsSuspended)
            {
                throw new DmException(
                    Errno.EINVAL,
                    $"{Type.Name}: the COW device '{_cow.Name}' is in use by '{source.Table.Owner.Name}': suspend that one first, to take its snapshot over");
            }
        }
    }

    /// <summary>Takes over the snapshot of a target with the same COW device, if there is one.</summary>
    public override void Resume()
    {
        lock (Snapshot.Origin.Origins.Lock)
        {
            (SnapshotTarget? source, SnapshotTarget? destination) = FindPair();
            if (source is not null && destination is not null)
            {
                destination.TakeOver(source);
            }

            Snapshot.MoveTo(this, _devices, this is SnapshotMergeTarget);
            _active = true;
        }

        Snapshot.Origin.Activate(Snapshot);
    }

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, bool noflush)
    {
        if (!Snapshot.IsValid)
        {
            text.Append("Invalid");
        }
        else if (Snapshot.Overflowed)
        {
            text.Append("Overflow");
        }
        else
        {
            (ulong allocated, ulong total, ulong metadata) = Snapshot.Store.Usage;
            text.Append($"{allocated}/{total} {metadata}");
        }
    }

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text)
    {
        text.Append($"{_origin.Name} {_cow.Name} {Snapshot.Store.Word} {Snapshot.Store.ChunkSize}");
        if (_discardZeroesCow)
        {
            text.Append(_discardPassdownOrigin ? " 2 discard_zeroes_cow discard_passdown_origin" : " 1 discard_zeroes_cow");
        }
    }

    /// <inheritdoc/>
    public override void Measure(Measurement measurement) => measurement
        .Add("snap_origin_name", _origin.Name)
        .Add("snap_cow_name", _cow.Name)
        .Add("snap_valid", Snapshot.IsValid)
        .Add("snap_merge_failed", MergeFailed)
        .Add("snapshot_overflowed", Snapshot.Overflowed);

    /// <summary>Whether merging it ended with an error.</summary>
    private protected virtual bool MergeFailed => false;

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas => [new(_origin, default, Length), new(_cow, default, _cow.Device.Size)];

    /// <summary>Discards come a chunk at a time.</summary>
    public override QueueLimits AdjustLimits(QueueLimits limits)
    {
        if (!_discardZeroesCow)
        {
            return limits;
        }

        uint chunk;
        lock (Snapshot.Origin.Origins.Lock)
        {
            (SnapshotTarget? source, SnapshotTarget? destination) = FindPair();
            chunk = source is not null && destination is not null ? source.Snapshot.Store.ChunkSize : Snapshot.Store.ChunkSize;
        }

        return limits with { MaxDiscard = new SectorCount(chunk), DiscardGranularity = chunk * Sector.Size };
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Leave();
        base.Dispose();
    }

    /// <summary>Sends a bio to the origin's chunk, unless the chunk has been completed meanwhile.</summary>
    private MapResult MapToOrigin(Bio bio, Snapshot snapshot, ulong chunk)
    {
        if (snapshot.TryBeginRead(chunk, out ulong newChunk))
        {
            bio.Device = _origin.Device;
            bio.ContextValue = chunk + 1;
        }
        else
        {
            snapshot.Remap(bio, newChunk);
        }

        return MapResult.Remapped;
    }

    /// <summary>Zeroes a chunk on the COW device; a second clone goes to the origin, where that is asked for. A discard of a part of a chunk goes to the COW device.</summary>
    private MapResult MapDiscard(Bio bio, Snapshot snapshot, ulong chunk)
    {
        if (bio.TargetBioNumber == 1)
        {
            bio.Device = _origin.Device;
            if (snapshot.TryBeginRead(chunk, out _))
            {
                bio.ContextValue = chunk + 1;
            }

            return MapResult.Remapped;
        }

        bool found = snapshot.Exceptions.TryFind(chunk, out ulong newChunk);
        if (found)
        {
            snapshot.Remap(bio, newChunk);
        }

        if (found && bio.Count.Value == snapshot.Store.ChunkSize)
        {
            new ChunkZeroing(bio).Start(snapshot.Copier);
            return MapResult.Submitted;
        }

        if (found && _cow.Device.Limits.MaxDiscard != SectorCount.Zero)
        {
            return MapResult.Remapped;
        }

        bio.End(BioStatus.Ok);
        return MapResult.Submitted;
    }

    private static (bool DiscardZeroesCow, bool DiscardPassdownOrigin) ParseFeatures(TargetArguments arguments)
    {
        const int CountArgument = 4;
        if (arguments.Count == CountArgument)
        {
            return default;
        }

        if (!KernelNumber.TryScan(arguments[CountArgument], out uint count) || count > 2 || count > arguments.Count - CountArgument - 1)
        {
            throw arguments.Refuse(CountArgument, "number of features", "is not the number of features that follow, at most 2");
        }

        bool zeroes = false;
        bool passdown = false;
        for (int i = 0; i < count; i++)
        {
            string word = arguments[CountArgument + 1 + i];
            if (word.Equals("discard_zeroes_cow", StringComparison.OrdinalIgnoreCase))
            {
                zeroes = true;
            }
            else if (word.Equals("discard_passdown_origin", StringComparison.OrdinalIgnoreCase))
            {
                passdown = true;
            }
            else
            {
                throw arguments.Refuse(CountArgument + 1 + i, "feature", "is not discard_zeroes_cow or discard_passdown_origin");
            }
        }

        return passdown && !zeroes
            ? throw arguments.Refuse("the feature discard_passdown_origin needs discard_zeroes_cow")
            : (zeroes, passdown);
    }

    /// <summary>
    /// Opens the COW device for writing, also in a read-only table: what the origin loses is kept there. Only one that cannot be written
    /// to is opened for reading then, as the kernel takes it.
    /// </summary>
    private static DeviceReference OpenCow(TargetArguments arguments)
    {
        try
        {
            return arguments.Device(1, "COW device", DeviceMode.ReadWrite);
        }
        catch (DmException e) when (arguments.Table.Mode == DeviceMode.ReadOnly && e.Errno is Errno.EACCES or Errno.EROFS or Errno.EPERM)
        {
            return arguments.Device(1, "COW device", DeviceMode.ReadOnly);
        }
    }

    private ExceptionStore CreateStore(TargetArguments arguments)
    {
        string word = arguments[StoreArgument];
        ExceptionStore store = word[0] switch
        {
            'P' or 'p' => new PersistentStore { Devices = _devices },
            'N' or 'n' => new TransientStore { Devices = _devices },
            _ => throw arguments.Refuse(StoreArgument, "exception store", "is not P (persistent), PO (persistent, with overflow) or N (not persistent)"),
        };
        if (this is SnapshotMergeTarget && !store.CanMerge)
        {
            throw arguments.Refuse(StoreArgument, "exception store", "is not persistent, so that it cannot be merged");
        }

        uint size = arguments.UInt32(ChunkArgument, "chunk size", "a number of sectors");
        if (size != 0 && ExceptionStore.RefusalOf(size, BlockOf(_origin), BlockOf(_cow)) is { } refusal)
        {
            throw arguments.Refuse(ChunkArgument, "chunk size", refusal);
        }

        store.ChunkSize = size;
        if (store is PersistentStore && word.Length > 1)
        {
            store.Overflows = word[1] is 'O' or 'o'
                ? true
                : throw arguments.Refuse(StoreArgument, "exception store", "is not P (persistent), PO (persistent, with overflow) or N (not persistent)");
        }

        return store;
    }

    private static uint BlockOf(DeviceReference device) => device.Device.Limits.LogicalBlockSize / Sector.Size;

    private void Load(ExceptionStore store)
    {
        try
        {
            store.Load(Math.Max(BlockOf(_origin), BlockOf(_cow)), Snapshot.Exceptions);
        }
        catch (DmException e)
        {
            throw new DmException(e.Errno, $"{Type.Name}: {e.Message}", e);
        }

        if (!store.IsValid)
        {
            Snapshot.MarkInvalid();
        }

        if (store.ChunkSize == 0)
        {
            throw new DmException(Errno.EINVAL, $"{Type.Name}: argument {ChunkArgument + 1} (chunk size): '0' is only for a COW device that has one");
        }

        MaxIo = new SectorCount(store.ChunkSize);
    }

    /// <summary>Joins the targets of its origin.</summary>
    /// <returns>Whether it is to take over the snapshot of another target.</returns>
    private bool Register(TargetArguments arguments, Origins origins)
    {
        lock (origins.Lock)
        {
            (SnapshotTarget? source, SnapshotTarget? destination) = FindPair();
            if (destination is not null)
            {
                throw arguments.Refuse(
                    1, "COW device", $"is that of the table of '{destination.Table.Owner.Name}', which is not resumed yet, or about to take its snapshot over");
            }

            List<SnapshotTarget> targets = Snapshot.Origin.Targets;
            if (source is not null && this is SnapshotMergeTarget)
            {
                if (targets.Find(t => t is SnapshotMergeTarget) is { } other)
                {
                    throw arguments.Refuse($"another snapshot of the origin is being merged already, by '{other.Table.Owner.Name}'");
                }

                if (!source.Snapshot.Store.CanMerge)
                {
                    throw arguments.Refuse("a snapshot that is not persistent cannot be merged");
                }
            }

            targets.Add(this);
            return source is not null;
        }
    }

    /// <summary>The target that has the snapshot of this COW device, and the one that is to have it.</summary>
    private (SnapshotTarget? Source, SnapshotTarget? Destination) FindPair()
    {
        SnapshotTarget? source = null;
        SnapshotTarget? destination = null;
        foreach (SnapshotTarget target in Snapshot.Origin.Targets)
        {
            if (target._cow.TableDevice.Identity == _cow.TableDevice.Identity)
            {
                (target._active ? ref source : ref destination) = target;
            }
        }

        return (source, destination);
    }

    /// <summary>Both exchange their snapshots; the source shows an invalid one from now on.</summary>
    private void TakeOver(SnapshotTarget source)
    {
        (Snapshot, source.Snapshot) = (source.Snapshot, Snapshot);
        (Snapshot.Store.Overflows, source.Snapshot.Store.Overflows) = (source.Snapshot.Store.Overflows, source.Snapshot.Store.Overflows);
        source.Snapshot.MarkInvalid();
        MaxIo = new SectorCount(Snapshot.Store.ChunkSize);
    }

    /// <summary>Undoes <see cref="Register"/>, and waits for copies that use its devices.</summary>
    private void Leave()
    {
        Origin origin = Snapshot.Origin;
        lock (origin.Origins.Lock)
        {
            (SnapshotTarget? source, SnapshotTarget? destination) = FindPair();
            if (source == this && destination is not null)
            {
                destination.Snapshot.MarkInvalid(); // there is nothing left to take over
            }

            origin.Targets.Remove(this);
        }

        origin.Deactivate(Snapshot);
        Snapshot.Stop();
        _devices.WaitUntilIdle();
        Snapshot.Store.Dispose();
        origin.Origins.Put(origin);
    }
}
