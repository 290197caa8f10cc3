using System.Buffers.Binary;

namespace DeviceMapper.Targets.Thin;

/// <content>Fills new metadata with the volumes of another.</content>
internal sealed partial class ThinMetadata
{
    private ulong _restoredRoot;
    private ulong _restoredMappings;

    /// <summary>Takes the other's numbers. For the writer.</summary>
    public void BeginRestore(uint time, ulong transactionId)
    {
        _changed = true;
        _super.Time = time;
        _super.TransactionId = transactionId;
    }

    /// <summary>A volume follows. For the writer.</summary>
    public void BeginRestoredVolume() => (_restoredRoot, _restoredMappings) = (_mappings.Create(), 0);

    /// <summary>A mapping of it, with data block and time as the btree has them. For the writer.</summary>
    public void RestoreMapping(ulong block, ulong mapping)
    {
        Span<byte> value = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(value, mapping);
        _restoredRoot = _mappings.Insert(_restoredRoot, block, value, out _);
        _data.Increment(mapping >> TimeBits);
        _restoredMappings++;
        LimitMemory();
    }

    /// <summary>It has no more mappings. For the writer.</summary>
    public void EndRestoredVolume(ulong id, VolumeDetails details)
    {
        Span<byte> root = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(root, _restoredRoot);
        _super.Mappings = _volumes.Insert(_super.Mappings, id, root, out _);
        SaveDetails(id, details with { Mapped = _restoredMappings });
    }
}
