using DeviceMapper.Native;

namespace DeviceMapper.Io;

/// <summary>How a bio ended. The kernel's <c>blk_status_t</c>, as far as it is used.</summary>
public enum BioStatus : byte
{
    /// <summary>Done.</summary>
    Ok,

    /// <summary>EIO.</summary>
    IoError,

    /// <summary>ENOSPC.</summary>
    NoSpace,

    /// <summary>EINVAL: the request does not fit the device (out of range, not aligned).</summary>
    Invalid,

    /// <summary>EOPNOTSUPP: the device cannot do the operation.</summary>
    Unsupported,

    /// <summary>EAGAIN: a <see cref="BioFlags.NoWait"/> bio would have to wait.</summary>
    Again,

    /// <summary>ETIMEDOUT.</summary>
    Timeout,

    /// <summary>ENOLINK: the way to the device is lost; another path may do (the kernel's <c>BLK_STS_TRANSPORT</c>).</summary>
    Transport,

    /// <summary>ENODATA: the medium is bad at these sectors (the kernel's <c>BLK_STS_MEDIUM</c>).</summary>
    Medium,

    /// <summary>EILSEQ: a checksum is wrong (the kernel's <c>BLK_STS_PROTECTION</c>).</summary>
    Protection,

    /// <summary>ENOMEM.</summary>
    NoMemory,

    /// <summary>EROFS: a write to a read-only device.</summary>
    ReadOnly,

    /// <summary>
    /// Handed back to the mapped device during a noflush suspend: it is mapped again after the resume.
    /// Never reaches who submitted the bio.
    /// </summary>
    Requeue,
}

/// <summary>The one place where bio statuses and errnos meet.</summary>
public static class BioStatusErrno
{
    /// <summary>The errno of a status; <see cref="Errno.None"/> for <see cref="BioStatus.Ok"/>.</summary>
    public static Errno ToErrno(this BioStatus status) => status switch
    {
        BioStatus.Ok => Errno.None,
        BioStatus.NoSpace => Errno.ENOSPC,
        BioStatus.Invalid => Errno.EINVAL,
        BioStatus.Unsupported => Errno.EOPNOTSUPP,
        BioStatus.Again => Errno.EAGAIN,
        BioStatus.Timeout => Errno.ETIMEDOUT,
        BioStatus.Transport => Errno.ENOLINK,
        BioStatus.Medium => Errno.ENODATA,
        BioStatus.Protection => Errno.EILSEQ,
        BioStatus.NoMemory => Errno.ENOMEM,
        BioStatus.ReadOnly => Errno.EROFS,
        _ => Errno.EIO,
    };

    /// <summary>The status of an errno that a system call of a backend returned.</summary>
    public static BioStatus FromErrno(Errno errno) => errno switch
    {
        Errno.None => BioStatus.Ok,
        Errno.ENOSPC or Errno.EDQUOT or Errno.EFBIG => BioStatus.NoSpace,
        Errno.EINVAL => BioStatus.Invalid,
        Errno.EOPNOTSUPP or Errno.ENOSYS or Errno.ENOTTY => BioStatus.Unsupported,
        Errno.EAGAIN => BioStatus.Again,
        Errno.ETIMEDOUT => BioStatus.Timeout,
        Errno.ENOLINK or Errno.ENOTCONN or Errno.EPIPE or Errno.ECONNRESET => BioStatus.Transport,
        Errno.ENODATA => BioStatus.Medium,
        Errno.EILSEQ => BioStatus.Protection,
        Errno.ENOMEM => BioStatus.NoMemory,
        Errno.EROFS => BioStatus.ReadOnly,
        _ => BioStatus.IoError,
    };
}
