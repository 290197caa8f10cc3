namespace DeviceMapper.Tests.Backends;

/// <summary>A loop device of the kernel on a file; detached when disposed.</summary>
internal sealed class LoopDevice : IDisposable
{
    public LoopDevice(string file, params string[] options) =>
        Path = ChildProcess.Run("losetup", ["-f", "--show", .. options, file]);

    /// <summary>Its node in /dev.</summary>
    public string Path { get; }

    public static void SkipUnlessPossible()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root for loop devices");
        Assert.SkipUnless(File.Exists("/dev/loop-control"), "needs loop devices");
    }

    public void Dispose() => ChildProcess.Run("losetup", "-d", Path);
}
