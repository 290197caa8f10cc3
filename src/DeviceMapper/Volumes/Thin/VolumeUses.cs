using System.Buffers.Binary;
using DeviceMapper.Metadata;
using DeviceMapper.Targets.Thin;

namespace DeviceMapper.Volumes.Thin;

/// <summary>
/// Counts what each volume has, and what it alone has. Nodes that volumes share are read once, whatever number of snapshots there is: all below
/// such a node is shared.
/// </summary>
internal sealed class VolumeUses(MetadataReader reader)
{
    private readonly Tally _nodes = new(); // of mapping trees: how many ways lead to each
    private readonly Tally _data = new();

    /// <summary>Counts for volumes with the roots of their mappings.</summary>
    public List<VolumeUse> Count(List<(ulong Id, ulong Root, VolumeDetails Details)> volumes)
    {
        foreach ((ulong id, ulong root, _) in volumes)
        {
            Walk(id, root, block => _data.Add(block), node => _nodes.Add(node) == 1);
        }

        List<VolumeUse> uses = [];
        foreach ((ulong id, ulong root, VolumeDetails details) in volumes)
        {
            ulong exclusive = 0;
            Walk(id, root, block => exclusive += _data[block] == 1 ? 1u : 0, node => _nodes[node] == 1);
            uses.Add(new VolumeUse(id, details.Mapped, exclusive));
        }

        return uses;
    }

    private void Walk(ulong id, ulong root, Action<ulong> visit, Func<ulong, bool> enter) => reader.Walk(
        root, sizeof(ulong), $"volume {id}, blocks", (_, value) => visit(BinaryPrimitives.ReadUInt64LittleEndian(value) >> ThinMetadata.TimeBits), enter);
}
