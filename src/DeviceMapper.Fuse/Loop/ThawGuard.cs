using System.ComponentModel;
using System.Diagnostics;

namespace DeviceMapper.Fuse.Loop;

/// <summary>
/// A process that waits, and thaws file systems if we die while they are frozen: else whoever writes to them would wait for
/// ever. It notices by the end of its input, which the kernel closes with us.
/// </summary>
internal sealed class ThawGuard : IDisposable
{
    // Signals of the terminal or of a service's end reach it too. It holds neither our output nor our folder.
    private const string Script =
        "trap '' HUP INT TERM; cd /; exec >/dev/null 2>&1; read -r thawed || for folder; do fsfreeze --unfreeze \"$folder\"; done";

    private readonly Process _process;

    private ThawGuard(Process process) => _process = process;

    /// <summary>Starts one; null where there is no shell.</summary>
    /// <param name="folders">Where the file systems are mounted.</param>
    public static ThawGuard? Start(IEnumerable<string> folders)
    {
        try
        {
            return new ThawGuard(Process.Start(new ProcessStartInfo("/bin/sh", ["-c", Script, "udm-thaw", .. folders]) { RedirectStandardInput = true })!);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    /// <summary>They are thawed: ends it.</summary>
    public void Dispose()
    {
        try
        {
            _process.StandardInput.WriteLine("thawed");
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // Somebody has killed it.
        }

        _process.Dispose();
    }
}
