namespace DeviceMapper.Nbd.Protocol;

/// <summary>Numbers of the handshake (NBD's doc/proto.md, "Values").</summary>
internal static class NbdHandshake
{
    /// <summary><c>NBDMAGIC</c>: the first eight bytes that a server sends.</summary>
    public const ulong Magic = 0x4e42444d41474943;

    /// <summary><c>IHAVEOPT</c>: the next eight, and the start of each option.</summary>
    public const ulong OptionMagic = 0x49484156454f5054;

    /// <summary>The start of each reply to an option.</summary>
    public const ulong ReplyMagic = 0x3e889045565a9;

    /// <summary>Handshake flag of both sides: options are answered, whatever they are.</summary>
    public const ushort FixedNewstyle = 1;

    /// <summary>Handshake flag of both sides: no 124 zeroes after an export's flags.</summary>
    public const ushort NoZeroes = 2;

    /// <summary>The longest string of the protocol, in bytes of UTF-8.</summary>
    public const int MaxString = 4096;
}

/// <summary>What a client asks for before it uses an export.</summary>
internal enum NbdOption : uint
{
#pragma warning disable CS1591 // named as in the specification, without NBD_OPT_
    ExportName = 1,
    Abort = 2,
    List = 3,
    StartTls = 5,
    Info = 6,
    Go = 7,
    StructuredReply = 8,
    ListMetaContext = 9,
    SetMetaContext = 10,
#pragma warning restore CS1591
}

/// <summary>How a server answers an option; errors have the top bit.</summary>
internal enum NbdOptionReply : uint
{
#pragma warning disable CS1591 // named as in the specification, without NBD_REP_
    Acknowledge = 1,
    Server = 2,
    Info = 3,
    MetaContext = 4,
    ErrorUnsupported = Error | 1,
    ErrorPolicy = Error | 2,
    ErrorInvalid = Error | 3,
    ErrorPlatform = Error | 4,
    ErrorTlsRequired = Error | 5,
    ErrorUnknown = Error | 6,
    ErrorShutdown = Error | 7,
    ErrorBlockSizeRequired = Error | 8,
    ErrorTooBig = Error | 9,
    Error = 1u << 31,
#pragma warning restore CS1591
}

/// <summary>What a server tells about an export.</summary>
internal enum NbdInfo : ushort
{
#pragma warning disable CS1591 // named as in the specification, without NBD_INFO_
    Export = 0,
    Name = 1,
    Description = 2,
    BlockSize = 3,
#pragma warning restore CS1591
}

/// <summary>What an export can do.</summary>
[Flags]
internal enum NbdExportFlags : ushort
{
#pragma warning disable CS1591 // named as in the specification, without NBD_FLAG_
    HasFlags = 1,
    ReadOnly = 1 << 1,
    SendFlush = 1 << 2,
    SendFua = 1 << 3,
    Rotational = 1 << 4,
    SendTrim = 1 << 5,
    SendWriteZeroes = 1 << 6,
    SendDf = 1 << 7,
    CanMultiConn = 1 << 8,
    SendResize = 1 << 9,
    SendCache = 1 << 10,
    SendFastZero = 1 << 11,
#pragma warning restore CS1591
}
