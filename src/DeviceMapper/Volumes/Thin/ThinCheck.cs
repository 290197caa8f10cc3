using System.Buffers.Binary;
using DeviceMapper.Metadata;
using DeviceMapper.Targets.Thin;

namespace DeviceMapper.Volumes.Thin;

/// <summary>
/// Checks a pool's metadata: reads every tree once, counts what refers to each metadata and data block, and compares that with the space maps.
/// </summary>
internal sealed class ThinCheck(MetadataReader reader, ThinSuperblock super)
{
    private readonly Tally _metadata = new();
    private readonly Tally _data = new();
    private readonly Dictionary<ulong, (ulong Entries, bool Damaged)> _nodes = []; // of mapping trees, which volumes share
    private readonly Dictionary<ulong, VolumeDetails> _details = [];
    private readonly HashSet<ulong> _volumes = [];

    /// <summary>Checks all of it.</summary>
    public void Run()
    {
        _metadata.Add(ThinSuperblock.Location);
        CheckTrees(super.Details, super.Mappings, "");
        foreach (ulong id in _details.Keys.Where(id => !_volumes.Contains(id)))
        {
            reader.Damage.Add($"volume {id}: it has details and no mappings");
        }

        if (super.HeldRoot != 0 && CountedFirst(super.HeldRoot) && reader.TryRead(super.HeldRoot, BlockKind.ThinSuperblock, "metadata snapshot") is { } held)
        {
            ReadOnlySpan<byte> bytes = held;
            CheckTrees(BinaryPrimitives.ReadUInt64LittleEndian(bytes[328..]), BinaryPrimitives.ReadUInt64LittleEndian(bytes[320..]), "metadata snapshot, ");
        }

        SpaceMap metadata = new(super.MetadataSpace, "metadata");
        SpaceMap data = new(super.DataSpace, "data");
        LoadFlat(metadata);
        reader.Walk(data.Root.Bitmaps, BitmapEntry.Length, "bitmaps of data", (index, value) => LoadBitmap(data, index, BitmapEntry.Read(value)), CountedFirst);
        foreach (SpaceMap map in new[] { metadata, data })
        {
            reader.Walk(
                map.Root.Counts,
                sizeof(uint),
                $"counts of {map.Name} blocks",
                (block, value) => map.Large[block] = BinaryPrimitives.ReadUInt32LittleEndian(value),
                CountedFirst);
        }

        if (reader.Damage.Count == 0) // counts of what could not be read would be wrong
        {
            Compare(metadata, _metadata);
            Compare(data, _data);
        }
    }

    private bool CountedFirst(ulong block) => _metadata.Add(block) == 1;

    private void CheckTrees(ulong details, ulong mappings, string prefix)
    {
        bool live = prefix.Length == 0;
        reader.Walk(
            details,
            VolumeDetails.Length,
            $"{prefix}details of volumes",
            (id, value) =>
            {
                if (live)
                {
                    _details[id] = VolumeDetails.Read(value);
                }
            },
            CountedFirst);
        reader.Walk(
            mappings,
            sizeof(ulong),
            $"{prefix}list of volumes",
            (id, value) =>
            {
                _volumes.Add(id);
                CheckVolume($"{prefix}volume {id}", BinaryPrimitives.ReadUInt64LittleEndian(value), live ? _details.GetValueOrDefault(id) : null);
            },
            CountedFirst);
    }

    private void CheckVolume(string name, ulong root, VolumeDetails? details)
    {
        ulong entries = 0;
        Stack<(ulong Entries, int Damage)> before = [];
        reader.Walk(
            root,
            sizeof(ulong),
            $"{name}, blocks",
            (block, value) =>
            {
                entries++;
                ulong dataBlock = BinaryPrimitives.ReadUInt64LittleEndian(value) >> ThinMetadata.TimeBits;
                if (dataBlock < super.DataSpace.Blocks)
                {
                    _data.Add(dataBlock);
                }
                else
                {
                    reader.Damage.Add($"{name}, block {block}: it is mapped to data block {dataBlock}, which the pool does not have");
                }
            },
            node =>
            {
                if (CountedFirst(node))
                {
                    before.Push((entries, reader.Damage.Count));
                    return true;
                }

                if (_nodes.TryGetValue(node, out (ulong Entries, bool Damaged) shared))
                {
                    entries += shared.Entries;
                }

                if (shared.Damaged)
                {
                    reader.Damage.Add($"{name}: it shares metadata block {node}, behind which blocks are lost");
                }

                return false;
            },
            node =>
            {
                (ulong entriesBefore, int damageBefore) = before.Pop();
                _nodes[node] = (entries - entriesBefore, reader.Damage.Count > damageBefore);
            });
        if (details is { } known && known.Mapped != entries && reader.Damage.Count == 0)
        {
            reader.Damage.Add($"{name}: its details say that {known.Mapped} blocks are mapped, and {entries} are");
        }
    }

    private void LoadFlat(SpaceMap map)
    {
        if (map.Bitmaps > FlatBitmapIndex.MostBitmaps)
        {
            reader.Damage.Add($"space map of {map.Name} blocks: {map.Root.Blocks} blocks are more than it can count");
        }
        else if (CountedFirst(map.Root.Bitmaps) && reader.TryRead(map.Root.Bitmaps, BlockKind.Index, $"space map of {map.Name} blocks") is { } index)
        {
            for (int i = 0; i < (int)map.Bitmaps; i++)
            {
                LoadBitmap(map, (ulong)i, BitmapEntry.Read(index.AsSpan(FlatBitmapIndex.HeaderLength + (i * BitmapEntry.Length))));
            }
        }
    }

    private void LoadBitmap(SpaceMap map, ulong index, BitmapEntry entry)
    {
        if (CountedFirst(entry.Block) && reader.TryRead(entry.Block, BlockKind.Bitmap, $"space map of {map.Name} blocks") is { } bitmap)
        {
            map.Loaded[index] = bitmap;
        }
    }

    private void Compare(SpaceMap map, Tally met)
    {
        ulong tooMany = 0, tooFew = 0, used = 0, first = 0;
        for (ulong index = 0; index < map.Bitmaps; index++)
        {
            if (!map.Loaded.TryGetValue(index, out byte[]? data))
            {
                reader.Damage.Add($"space map of {map.Name} blocks: bitmap {index} is missing");
                return;
            }

            Bitmap bitmap = new(data);
            ulong start = index * Bitmap.Entries;
            int length = (int)Math.Min(Bitmap.Entries, map.Root.Blocks - start);
            for (int i = 0; i < length; i++)
            {
                ulong block = start + (ulong)i;
                uint count = bitmap[i] < Bitmap.Many ? (uint)bitmap[i] : map.Large.GetValueOrDefault(block);
                used += count > 0 ? 1u : 0;
                if (count != met[block])
                {
                    first = tooMany + tooFew == 0 ? block : first;
                    _ = count > met[block] ? tooMany++ : tooFew++;
                }
            }
        }

        if (tooFew > 0)
        {
            reader.Damage.Add($"space map of {map.Name} blocks: {tooFew} blocks, from {first} on, are used more often than it counts: they could be given away");
        }

        if (tooMany > 0)
        {
            reader.Damage.Add($"space map of {map.Name} blocks: {tooMany} blocks, from {first} on, are counted and not used as often: their room is lost");
        }

        if (map.Name == "data" && used != map.Root.Allocated && tooFew + tooMany == 0) // thin_restore's number for metadata is inexact, too
        {
            reader.Damage.Add($"space map of {map.Name} blocks: it says that {map.Root.Allocated} blocks are in use, and {used} are");
        }
    }

    /// <summary>A space map as it was read.</summary>
    private sealed class SpaceMap(SpaceMapRoot root, string name)
    {
        public SpaceMapRoot Root { get; } = root;

        public string Name { get; } = name;

        public ulong Bitmaps { get; } = (root.Blocks / Bitmap.Entries) + (root.Blocks % Bitmap.Entries == 0 ? 0u : 1);

        public Dictionary<ulong, byte[]> Loaded { get; } = [];

        public Dictionary<ulong, uint> Large { get; } = [];
    }
}
