namespace DeviceMapper.Fuse.Mounting;

/// <summary>The kernel's control file system of FUSE, where it is mounted.</summary>
internal static class FuseControl
{
    /// <summary>Ends a connection: all that waits for it fails. Nothing happens where there is no such connection, or no control file system.</summary>
    /// <param name="connection">The minor number of the mount's st_dev.</param>
    public static bool Abort(uint connection)
    {
        try
        {
            File.WriteAllText($"/sys/fs/fuse/connections/{connection}/abort", "1");
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false; // already gone, or not ours to end: unmounting is what counts
        }
    }
}
