namespace DeviceMapper.Ioctl;

/// <summary>The version of the ioctl interface.</summary>
public readonly record struct DmVersion(uint Major, uint Minor, uint Patch)
{
    /// <summary>That of Linux 6.12.</summary>
    public static readonly DmVersion Current = new(4, 48, 0);

    /// <summary>The oldest of this major: what a caller that needs nothing newer asks with.</summary>
    public static readonly DmVersion Oldest = new(4, 0, 0);

    /// <inheritdoc/>
    public override string ToString() => $"{Major}.{Minor}.{Patch}";
}
