using System.Buffers.Binary;
using DeviceMapper.Metadata;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Thin;

/// <content>Volumes, their snapshots, and their mappings.</content>
internal sealed partial class ThinMetadata
{
    /// <summary>A mapping.</summary>
    /// <param name="Block">The data block.</param>
    /// <param name="Shared">Whether other volumes may have the same one, so that it must not be overwritten.</param>
    public readonly record struct Mapping(ulong Block, bool Shared);

    /// <summary>Opens a volume. For the writer.</summary>
    /// <exception cref="DmException">ENODATA: there is none of this number.</exception>
    public Volume OpenVolume(ulong id)
    {
        if (!_open.TryGetValue(id, out Volume? volume))
        {
            volume = new Volume(id, FindDetails(id) ?? throw NoVolume(id), FindRoot(id));
            _open.Add(id, volume);
            _inService = true;
        }

        volume.Users++;
        return volume;
    }

    /// <summary>Closes a volume; one that has changed is let go by the next <see cref="Commit"/>. For the writer.</summary>
    public void CloseVolume(Volume volume)
    {
        if (--volume.Users == 0 && !volume.IsChanged)
        {
            _open.Remove(volume.Id);
        }
    }

    /// <summary>Makes an empty volume. For the writer.</summary>
    /// <exception cref="DmException">EEXIST: there is one of this number.</exception>
    public void CreateVolume(ulong id)
    {
        ThrowIfThere(id);
        BeginChange();
        Span<byte> root = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(root, _mappings.Create());
        _super.Mappings = _volumes.Insert(_super.Mappings, id, root, out _);
        SaveDetails(id, new VolumeDetails(0, _super.TransactionId, _super.Time, _super.Time));
        EndChange();
    }

    /// <summary>
    /// Makes a volume that has all mappings of another: both share the tree until one of them changes, so it takes no longer for a large one. For the writer.
    /// </summary>
    /// <exception cref="DmException">EEXIST: there is one of this number; ENODATA: there is no such origin.</exception>
    public void CreateSnapshot(ulong id, ulong originId)
    {
        ThrowIfThere(id);
        Span<byte> root = stackalloc byte[sizeof(ulong)];
        if (!_volumes.TryFind(_super.Mappings, originId, root))
        {
            throw NoVolume(originId);
        }

        BeginChange();
        _transaction.Increment(BinaryPrimitives.ReadUInt64LittleEndian(root));
        _super.Mappings = _volumes.Insert(_super.Mappings, id, root, out _);
        _super.Time++;
        Volume origin = OpenVolume(originId);
        origin.Details = origin.Details with { Snapshotted = _super.Time };
        origin.IsChanged = true;
        SaveDetails(id, new VolumeDetails(origin.Details.Mapped, _super.TransactionId, _super.Time, _super.Time));
        CloseVolume(origin);
        EndChange();
    }

    /// <summary>Deletes a volume. For the writer.</summary>
    /// <exception cref="DmException">ENODATA: there is none of this number; EBUSY: it is in use.</exception>
    public void DeleteVolume(ulong id)
    {
        if (_open.TryGetValue(id, out Volume? volume) && volume.Users > 0)
        {
            throw new DmException(Errno.EBUSY, $"volume {id} is in use by a table");
        }

        if (FindDetails(id) is null)
        {
            throw NoVolume(id);
        }

        BeginChange();
        _open.Remove(id);
        _super.Details = _details.Remove(_super.Details, id, out _);
        _super.Mappings = _volumes.Remove(_super.Mappings, id, out _);
        EndChange();
    }

    /// <summary>Keeps volumes and mappings as they are now for programs that read the metadata device. For the writer; waits.</summary>
    /// <exception cref="DmException">EBUSY: one is kept already.</exception>
    public void ReserveSnapshot()
    {
        if (_changed)
        {
            Commit();
        }

        if (_super.HeldRoot != 0)
        {
            throw new DmException(Errno.EBUSY, "a metadata snapshot is kept already: release that one first");
        }

        BeginChange();
        _transaction.Increment(ThinSuperblock.Location); // and less again: the kernel shadows it, and takes blocks in that order
        MetadataBlock copy = _transaction.New(BlockKind.ThinSuperblock);
        _transaction.Decrement(ThinSuperblock.Location);
        _super.Write(copy.Data);
        copy.Data.AsSpan(64, 256).Clear(); // the space maps are not kept
        _transaction.Increment(_super.Mappings);
        _transaction.Increment(_super.Details);
        _super.HeldRoot = copy.Number;
        EndChange();
    }

    /// <summary>Ends a <see cref="ReserveSnapshot"/>. For the writer; waits.</summary>
    /// <exception cref="DmException">EINVAL: none is kept.</exception>
    public void ReleaseSnapshot()
    {
        if (_super.HeldRoot == 0)
        {
            throw new DmException(Errno.EINVAL, "no metadata snapshot is kept that could be released");
        }

        BeginChange();
        byte[] copy = _transaction.Read(_super.HeldRoot, BlockKind.ThinSuperblock).Data;
        ulong mappings = BinaryPrimitives.ReadUInt64LittleEndian(copy.AsSpan(320));
        ulong details = BinaryPrimitives.ReadUInt64LittleEndian(copy.AsSpan(328));
        _volumes.Delete(mappings);
        _details.Delete(details);
        _transaction.Decrement(_super.HeldRoot);
        _super.HeldRoot = 0;
        EndChange();
    }

    /// <summary>Finds where a block of a volume is, if that reads nothing from the device. For readers.</summary>
    /// <returns>Whether it was found.</returns>
    public bool TryFindCached(Volume volume, ulong block, out Mapping mapping)
    {
        Span<byte> value = stackalloc byte[sizeof(ulong)];
        bool found = _mappings.TryFindCached(volume.Root, block, value, out bool there) && there;
        mapping = found ? MappingOf(volume, value) : default;
        return found;
    }

    /// <summary>Finds where a block of a volume is. For readers.</summary>
    public bool TryFind(Volume volume, ulong block, out Mapping mapping)
    {
        Span<byte> value = stackalloc byte[sizeof(ulong)];
        if (!_mappings.TryFind(volume.Root, block, value))
        {
            mapping = default;
            return false;
        }

        mapping = MappingOf(volume, value);
        return true;
    }

    /// <summary>Maps a block of a volume to a data block that was taken by <see cref="AllocateData"/>. For the writer.</summary>
    public void Map(Volume volume, ulong block, ulong dataBlock)
    {
        BeginChange();
        volume.IsChanged = true;
        bool isNew = false;
        _super.Mappings = _volumes.Update(_super.Mappings, volume.Id, root =>
        {
            Span<byte> value = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(value, (dataBlock << TimeBits) | (_super.Time & ((1 << TimeBits) - 1)));
            return volume.Root = _mappings.Insert(root, block, value, out isNew);
        });
        if (isNew)
        {
            volume.Details = volume.Details with { Mapped = volume.Details.Mapped + 1 };
        }

        EndChange();
    }

    /// <summary>Removes the mapping of a block. For the writer.</summary>
    public void Unmap(Volume volume, ulong block)
    {
        BeginChange();
        volume.IsChanged = true;
        bool removed = false;
        _super.Mappings = _volumes.Update(_super.Mappings, volume.Id, root => volume.Root = _mappings.Remove(root, block, out removed));
        if (removed)
        {
            volume.Details = volume.Details with { Mapped = volume.Details.Mapped - 1 };
        }

        EndChange();
    }

    /// <summary>The mapped blocks of a range, in order. For readers.</summary>
    public List<(ulong Block, Mapping Mapping)> Mapped(Volume volume, ulong begin, ulong end)
    {
        List<(ulong, Mapping)> mapped = [];
        _mappings.Visit(volume.Root, begin, (block, value) =>
        {
            if (block >= end)
            {
                return false;
            }

            mapped.Add((block, MappingOf(volume, value)));
            return true;
        });
        return mapped;
    }

    /// <summary>How many blocks from one on, at most to an end, are all mapped, or are all not. For readers.</summary>
    /// <param name="volume">Whose.</param>
    /// <param name="begin">The first block.</param>
    /// <param name="end">Behind the last one.</param>
    /// <param name="mapped">Whether they are mapped.</param>
    public ulong RunFrom(Volume volume, ulong begin, ulong end, out bool mapped)
    {
        ulong next = begin; // behind the run of mapped blocks
        ulong gapEnd = end;
        _mappings.Visit(volume.Root, begin, (block, _) =>
        {
            if (block < end && block == next)
            {
                return ++next < end;
            }

            gapEnd = Math.Min(block, end);
            return false;
        });
        mapped = next > begin;
        return (mapped ? next : gapEnd) - begin;
    }

    /// <summary>The highest mapped block; null without one. For readers.</summary>
    public ulong? HighestMapped(Volume volume) => _mappings.HighestKey(volume.Root);

    private ulong FindRoot(ulong id)
    {
        Span<byte> root = stackalloc byte[sizeof(ulong)];
        return _volumes.TryFind(_super.Mappings, id, root) ? BinaryPrimitives.ReadUInt64LittleEndian(root) : throw NoVolume(id);
    }

    private static Mapping MappingOf(Volume volume, ReadOnlySpan<byte> value)
    {
        ulong bits = BinaryPrimitives.ReadUInt64LittleEndian(value);
        return new Mapping(bits >> TimeBits, volume.Details.Snapshotted > (bits & ((1 << TimeBits) - 1)));
    }

    /// <summary>Lets volumes go that nobody uses and that are as they were committed, or can no longer be.</summary>
    private void ForgetClosed()
    {
        foreach ((ulong id, Volume volume) in _open)
        {
            if (volume.Users == 0)
            {
                _open.Remove(id);
            }
        }
    }

    private void ThrowIfThere(ulong id)
    {
        if (FindDetails(id) is not null)
        {
            throw new DmException(Errno.EEXIST, $"there is a volume {id} already");
        }
    }

    private static DmException NoVolume(ulong id) => new(Errno.ENODATA, $"the pool has no volume {id}");

    /// <summary>A volume that is open.</summary>
    internal sealed class Volume(ulong id, VolumeDetails details, ulong root)
    {
        /// <summary>Its number.</summary>
        public ulong Id { get; } = id;

        /// <summary>What is known of it.</summary>
        public VolumeDetails Details { get; set; } = details;

        /// <summary>Its tree of mappings.</summary>
        public ulong Root { get; set; } = root;

        /// <summary>Whether its details, or mappings, have changed since the last commit.</summary>
        public bool IsChanged { get; set; }

        /// <summary>Whether changes were lost by an <see cref="Abort"/>: what was written may be gone, so flushes fail from then on.</summary>
        public bool IsAborted { get; set; }

        /// <summary>How many tables use it.</summary>
        public int Users { get; set; }
    }
}
