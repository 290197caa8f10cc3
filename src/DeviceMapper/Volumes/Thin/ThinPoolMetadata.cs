using System.Buffers.Binary;
using System.Globalization;
using DeviceMapper.Backends;
using DeviceMapper.Metadata;
using DeviceMapper.Native;
using DeviceMapper.Targets.Thin;

namespace DeviceMapper.Volumes.Thin;

/// <summary>
/// The metadata of a thin pool, on a file or block device that no pool has in use: to be checked, dumped, and saved to a new file where it is
/// damaged. It is opened for reading only; <see cref="ClearNeedsCheck"/> alone writes to it.
/// </summary>
public sealed class ThinPoolMetadata : IDisposable
{
    private readonly string _path;
    private readonly MetadataReader _reader;
    private readonly ThinSuperblock _super;
    private OpenFile? _claim;

    private ThinPoolMetadata(string path, MetadataReader reader, ThinSuperblock super)
    {
        _path = path;
        _reader = reader;
        _super = super;
    }

    /// <summary>What was found damaged until now, a sentence each.</summary>
    public IReadOnlyList<string> Damage => _reader.Damage;

    /// <summary>Whether a pool found that it must be checked before it is written to again.</summary>
    public bool NeedsCheck => _super.NeedsCheck;

    /// <summary>How many blocks its space map counts: what a whole check reads at most.</summary>
    public ulong Blocks => _super.MetadataSpace.Blocks;

    /// <summary>Opens it, and keeps pools off it meanwhile.</summary>
    /// <exception cref="DmException">
    /// EBUSY: a pool, or somebody else, uses it; ENOENT, EACCES and the like; EILSEQ, ENOTBLK, EINVAL: the superblock, without which nothing can be found, is damaged.
    /// </exception>
    public static ThinPoolMetadata Open(string path)
    {
        OpenFile? claim = Claim(path);
        try
        {
            ThinPoolMetadata metadata = OpenUnclaimed(path);
            metadata._claim = claim;
            return metadata;
        }
        catch
        {
            claim?.Dispose();
            throw;
        }
    }

    /// <summary>Opens the metadata of a pool that is in use. Only for <see cref="Uses"/> and <see cref="Dump"/>.</summary>
    /// <param name="path">The metadata device.</param>
    /// <param name="snapshot">
    /// Volumes and mappings as they were at the message <c>reserve_metadata_snap</c>; else as they are, which is for a pool that changes nothing.
    /// </param>
    /// <exception cref="DmException">As <see cref="Open"/>, but EBUSY; ENODATA: the pool keeps no metadata snapshot.</exception>
    public static ThinPoolMetadata OpenInUse(string path, bool snapshot)
    {
        ThinPoolMetadata metadata = OpenUnclaimed(path);
        if (!snapshot)
        {
            return metadata;
        }

        try
        {
            if (metadata._super.HeldRoot == 0)
            {
                throw new DmException(Errno.ENODATA, $"the pool on '{path}' keeps no metadata snapshot");
            }

            byte[] held = metadata._reader.TryRead(metadata._super.HeldRoot, BlockKind.ThinSuperblock, "metadata snapshot")
                ?? throw new DmException(Errno.EILSEQ, metadata.Damage[0]);
            ThinSuperblock kept = ThinSuperblock.Read(held, metadata._super.HeldRoot);
            (metadata._super.Mappings, metadata._super.Details) = (kept.Mappings, kept.Details);
            (metadata._super.Time, metadata._super.TransactionId) = (kept.Time, kept.TransactionId);
            return metadata;
        }
        catch
        {
            metadata.Dispose();
            throw;
        }
    }

    /// <summary>Sectors of a data block.</summary>
    public uint BlockSize => _super.DataBlockSize;

    /// <summary>What each volume has, and what it alone has. Reads all mappings.</summary>
    public IReadOnlyList<VolumeUse> Uses() => new VolumeUses(_reader).Count(Volumes());

    /// <summary>Reads all of it, and compares the counts of all blocks; what is wrong is in <see cref="Damage"/>.</summary>
    /// <param name="progress">Is told how many blocks have been read, from time to time.</param>
    public void Check(Action<ulong>? progress = null)
    {
        CountReads(progress);
        new ThinCheck(_reader, _super).Run();
    }

    /// <summary>
    /// Writes volumes and mappings as thin_dump does; thin_restore makes metadata of it. What is damaged is left out, and in <see cref="Damage"/>.
    /// </summary>
    /// <param name="output">Where to.</param>
    /// <param name="progress">Is told how many blocks have been read, from time to time.</param>
    public void Dump(TextWriter output, Action<ulong>? progress = null)
    {
        CountReads(progress);
        output.Write(string.Create(
            CultureInfo.InvariantCulture,
            $"<superblock uuid=\"\" time=\"{_super.Time}\" transaction=\"{_super.TransactionId}\" flags=\"{(_super.NeedsCheck ? 1 : 0)}\" version=\"2\" "));
        output.Write(string.Create(
            CultureInfo.InvariantCulture, $"data_block_size=\"{_super.DataBlockSize}\" nr_data_blocks=\"{_super.DataSpace.Blocks}\">\n"));
        foreach ((ulong id, ulong root, VolumeDetails details) in Volumes())
        {
            output.Write(string.Create(
                CultureInfo.InvariantCulture,
                $"  <device dev_id=\"{id}\" mapped_blocks=\"{details.Mapped}\" transaction=\"{details.TransactionId}\" creation_time=\"{details.Created}\" "));
            output.Write(string.Create(CultureInfo.InvariantCulture, $"snap_time=\"{details.Snapshotted}\">\n"));
            DumpMappings(output, id, root);
            output.Write("  </device>\n");
        }

        output.Write("</superblock>\n");
    }

    /// <summary>Makes sound metadata of what can be read, in a file that does not exist yet. What is lost is in <see cref="Damage"/>.</summary>
    /// <param name="path">The new file. It is as large as the old metadata, or as its mappings need when no volumes share them.</param>
    /// <param name="progress">Is told how many mappings have been saved, from time to time.</param>
    /// <exception cref="DmException">EEXIST: there is such a file; ENOSPC: the mappings are too many; what writing gives.</exception>
    public void Repair(string path, Action<ulong>? progress = null)
    {
        ulong mappings = 0;
        List<(ulong Id, ulong Root, VolumeDetails Details)> volumes = Volumes();
        foreach ((ulong id, ulong root, _) in volumes)
        {
            Mappings(id, root, (_, _) => mappings++);
        }

        _reader.Damage.Clear(); // it is all found again
        using RestoredMetadata restored = new(path, Math.Max(Blocks, RestoredMetadata.BlocksFor(mappings)), _super);
        ulong saved = 0;
        volumes = Volumes();
        foreach ((ulong id, ulong root, VolumeDetails details) in volumes)
        {
            restored.BeginVolume();
            Mappings(id, root, (block, value) =>
            {
                restored.Add(block, value);
                if (++saved % 65536 == 0)
                {
                    progress?.Invoke(saved);
                }
            });
            restored.EndVolume(id, details);
        }

        restored.Commit();
    }

    /// <summary>Takes the mark away that it must be checked. Only after a check that found nothing.</summary>
    /// <exception cref="DmException">EACCES and the like: it cannot be written.</exception>
    public void ClearNeedsCheck()
    {
        _super.NeedsCheck = false;
        byte[] data = new byte[BlockKind.Size];
        _super.Write(data);
        BlockKind.ThinSuperblock.Seal(data, ThinSuperblock.Location);
        try
        {
            using FileStream file = new(_path, FileMode.Open, FileAccess.Write, FileShare.Read, 0);
            file.Write(data);
            file.Flush(flushToDisk: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DmException(e is IOException ? Errno.EIO : Errno.EACCES, $"the superblock on '{_path}' cannot be written");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader.Dispose();
        _claim?.Dispose();
    }

    private static ThinPoolMetadata OpenUnclaimed(string path)
    {
        MetadataReader reader = new(path);
        try
        {
            byte[] data = reader.TryRead(ThinSuperblock.Location, BlockKind.ThinSuperblock, "superblock")
                ?? throw new DmException(Errno.EILSEQ, $"'{path}' is no metadata of a thin pool, or damaged at its start: {reader.Damage[0]}; of one, thin_repair may find more");
            return new ThinPoolMetadata(path, reader, ThinSuperblock.Read(data));
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Claims it as table devices are claimed: a lock of a file, O_EXCL of a block device. Null where it cannot be opened so.</summary>
    private static OpenFile? Claim(string path)
    {
        if (FileStatus.TryGet(path, out FileStatus status) != Errno.None)
        {
            return null;
        }

        bool isFile = status.Kind == FileKind.File;
        Errno error = OpenFile.TryOpen(path, LibC.O_RDONLY | (status.Kind == FileKind.BlockDevice ? LibC.O_EXCL : 0), out OpenFile? claim);
        error = error == Errno.None && isFile ? claim!.Lock(LibC.F_RDLCK) : error;
        if (error is Errno.EBUSY or Errno.EAGAIN || (error == Errno.EACCES && claim is not null))
        {
            claim?.Dispose();
            string users = isFile ? DeviceUsers.OfFile(status.FileSystem, status.Inode) : DeviceUsers.OfBlockDevice(status.Device);
            throw new DmException(Errno.EBUSY, $"'{path}' is {users}: remove the devices of its pool first");
        }

        return claim;
    }

    private void CountReads(Action<ulong>? progress)
    {
        ulong read = 0;
        _reader.BlockRead = () =>
        {
            if (++read % 1024 == 0)
            {
                progress?.Invoke(read);
            }
        };
    }

    /// <summary>Volumes that have mappings, in order.</summary>
    private List<(ulong Id, ulong Root, VolumeDetails Details)> Volumes()
    {
        Dictionary<ulong, VolumeDetails> details = [];
        _reader.Walk(_super.Details, VolumeDetails.Length, "details of volumes", (id, value) => details[id] = VolumeDetails.Read(value));
        List<(ulong, ulong, VolumeDetails)> volumes = [];
        _reader.Walk(_super.Mappings, sizeof(ulong), "list of volumes", (id, value) =>
        {
            if (!details.TryGetValue(id, out VolumeDetails found))
            {
                _reader.Damage.Add($"volume {id}: its details are lost; all its blocks count as shared");
                found = new VolumeDetails(0, _super.TransactionId, _super.Time, _super.Time);
            }

            volumes.Add((id, BinaryPrimitives.ReadUInt64LittleEndian(value), found));
        });
        return volumes;
    }

    private void Mappings(ulong id, ulong root, Action<ulong, ulong> visit) => _reader.Walk(root, sizeof(ulong), $"volume {id}, blocks", (block, value) =>
    {
        ulong mapping = BinaryPrimitives.ReadUInt64LittleEndian(value);
        if (mapping >> ThinMetadata.TimeBits < _super.DataSpace.Blocks)
        {
            visit(block, mapping);
        }
        else
        {
            _reader.Damage.Add($"volume {id}, block {block}: it is mapped to data block {mapping >> ThinMetadata.TimeBits}, which the pool does not have");
        }
    });

    private void DumpMappings(TextWriter output, ulong id, ulong root)
    {
        (ulong Block, ulong Data, ulong Time) first = default;
        ulong length = 0;
        Mappings(id, root, (block, mapping) =>
        {
            (ulong data, ulong time) = (mapping >> ThinMetadata.TimeBits, mapping & ((1 << ThinMetadata.TimeBits) - 1));
            if (length > 0 && (block, data, time) == (first.Block + length, first.Data + length, first.Time))
            {
                length++;
                return;
            }

            End();
            (first, length) = ((block, data, time), 1);
        });
        End();

        void End()
        {
            if (length > 0)
            {
                output.Write(length == 1
                    ? $"    <single_mapping origin_block=\"{first.Block}\" data_block=\"{first.Data}\" time=\"{first.Time}\"/>\n"
                    : $"    <range_mapping origin_begin=\"{first.Block}\" data_begin=\"{first.Data}\" length=\"{length}\" time=\"{first.Time}\"/>\n");
            }
        }
    }
}
