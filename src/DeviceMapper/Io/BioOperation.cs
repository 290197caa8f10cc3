namespace DeviceMapper.Io;

/// <summary>What a bio does.</summary>
public enum BioOperation : byte
{
    /// <summary>Reads sectors into the bio's buffer.</summary>
    Read,

    /// <summary>Writes sectors from the bio's buffer.</summary>
    Write,

    /// <summary>Makes durable what was completed before it was submitted. Has no sectors.</summary>
    Flush,

    /// <summary>Says that sectors are no longer used. What they read afterwards is not defined.</summary>
    Discard,

    /// <summary>Makes sectors read as zeroes.</summary>
    WriteZeroes,

    /// <summary>Discards so that the old data cannot be read back.</summary>
    SecureErase,
}

/// <summary>Modifiers of a bio.</summary>
[Flags]
public enum BioFlags : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>A write that is durable when it completes.</summary>
    Fua = 1,

    /// <summary>Fails with <see cref="BioStatus.Again"/> where it would have to wait.</summary>
    NoWait = 2,

    /// <summary>A write of zeroes that must keep its blocks allocated.</summary>
    NoUnmap = 4,

    /// <summary>A read that nobody waits for yet. May be failed when it is inconvenient.</summary>
    ReadAhead = 8,

    /// <summary>
    /// Ends with <see cref="BioStatus.Transport"/> at once where the way to the device is lost, in place of waiting for its return: who
    /// submitted it knows another one (the kernel's <c>REQ_FAILFAST_TRANSPORT</c>).
    /// </summary>
    FailFast = 16,
}
