namespace DeviceMapper.Mapping;

/// <summary>How a table, and a table device of it, is opened.</summary>
public enum DeviceMode
{
    /// <summary>For reading.</summary>
    ReadOnly,

    /// <summary>For reading and writing.</summary>
    ReadWrite,
}
