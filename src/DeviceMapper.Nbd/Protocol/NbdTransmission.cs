namespace DeviceMapper.Nbd.Protocol;

/// <summary>Numbers of the transmission phase.</summary>
internal static class NbdTransmission
{
    /// <summary>The start of each request.</summary>
    public const uint RequestMagic = 0x25609513;

    /// <summary>The start of a simple reply.</summary>
    public const uint SimpleReplyMagic = 0x67446698;

    /// <summary>The start of each chunk of a structured reply.</summary>
    public const uint StructuredReplyMagic = 0x668e33ef;

    /// <summary>Bytes of a request, without the data of a write.</summary>
    public const int RequestLength = 28;

    /// <summary>Bytes of a simple reply, without the data of a read.</summary>
    public const int SimpleReplyLength = 16;

    /// <summary>Bytes of a chunk's header.</summary>
    public const int ChunkHeaderLength = 20;

    /// <summary>The largest read or write, in bytes: what the specification makes every server take.</summary>
    public const int MaxPayload = 32 << 20;
}

/// <summary>What a request does.</summary>
internal enum NbdCommand : ushort
{
#pragma warning disable CS1591 // named as in the specification, without NBD_CMD_
    Read = 0,
    Write = 1,
    Disconnect = 2,
    Flush = 3,
    Trim = 4,
    Cache = 5,
    WriteZeroes = 6,
    BlockStatus = 7,
#pragma warning restore CS1591
}

/// <summary>How a request does it.</summary>
[Flags]
internal enum NbdCommandFlags : ushort
{
    None = 0,

    /// <summary>Durable when answered.</summary>
    Fua = 1,

    /// <summary>A write of zeroes must not make a hole.</summary>
    NoHole = 1 << 1,

    /// <summary>The answer of a read is one chunk.</summary>
    DontFragment = 1 << 2,

    /// <summary>One extent of block status.</summary>
    ReqOne = 1 << 3,

    /// <summary>A write of zeroes fails where it is no faster than a write.</summary>
    FastZero = 1 << 4,
}

/// <summary>What a chunk of a structured reply holds.</summary>
internal enum NbdChunk : ushort
{
#pragma warning disable CS1591 // named as in the specification, without NBD_REPLY_TYPE_
    None = 0,
    OffsetData = 1,
    OffsetHole = 2,
    BlockStatus = 5,
    Error = ErrorBit | 1,
    ErrorOffset = ErrorBit | 2,
    ErrorBit = 1 << 15,
#pragma warning restore CS1591
}

/// <summary>Flags of a chunk.</summary>
[Flags]
internal enum NbdChunkFlags : ushort
{
    None = 0,

    /// <summary>The last chunk of the reply.</summary>
    Done = 1,
}
