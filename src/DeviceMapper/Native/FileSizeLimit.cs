using System.Runtime.InteropServices;

namespace DeviceMapper.Native;

/// <summary>The limit on the size of files that a process may write (<c>ulimit -f</c>).</summary>
internal static class FileSizeLimit
{
    private const PosixSignal Exceeded = (PosixSignal)25; // SIGXFSZ

    private static PosixSignalRegistration? _survived;

    /// <summary>
    /// From now on who writes beyond it gets EFBIG. By default the kernel ends the process, and all devices with it.
    /// </summary>
    public static void Survive() => _survived ??= PosixSignalRegistration.Create(Exceeded, context => context.Cancel = true);
}
