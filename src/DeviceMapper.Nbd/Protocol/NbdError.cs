using DeviceMapper.Io;

namespace DeviceMapper.Nbd.Protocol;

/// <summary>The errors of the protocol; the numbers are Linux's.</summary>
internal enum NbdError : uint
{
#pragma warning disable CS1591 // named as in the specification, without NBD_
    None = 0,
    EPERM = 1,
    EIO = 5,
    ENOMEM = 12,
    EINVAL = 22,
    ENOSPC = 28,
    EOVERFLOW = 75,
    ENOTSUP = 95,
    ESHUTDOWN = 108,
#pragma warning restore CS1591
}

/// <summary>The one place where bio statuses and the protocol's errors meet.</summary>
internal static class NbdErrors
{
    /// <summary>The error that a bio's status is sent as.</summary>
    public static NbdError ToNbd(this BioStatus status) => status switch
    {
        BioStatus.Ok => NbdError.None,
        BioStatus.NoSpace => NbdError.ENOSPC,
        BioStatus.Invalid => NbdError.EINVAL,
        BioStatus.Unsupported => NbdError.ENOTSUP,
        BioStatus.NoMemory => NbdError.ENOMEM,
        BioStatus.ReadOnly => NbdError.EPERM,
        _ => NbdError.EIO,
    };

    /// <summary>The status of an error that a server sent. One that the specification does not have is EINVAL, as it asks.</summary>
    public static BioStatus ToStatus(this NbdError error) => error switch
    {
        NbdError.None => BioStatus.Ok,
        NbdError.EPERM => BioStatus.ReadOnly,
        NbdError.EIO => BioStatus.IoError,
        NbdError.ENOMEM => BioStatus.NoMemory,
        NbdError.ENOSPC => BioStatus.NoSpace,
        NbdError.ENOTSUP => BioStatus.Unsupported,
        NbdError.ESHUTDOWN => BioStatus.Transport,
        _ => BioStatus.Invalid,
    };
}
