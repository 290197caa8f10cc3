using System.Globalization;
using System.Text;
using DeviceMapper.Ioctl;
using Udm.Native;

namespace Udm.Run;

/// <summary>
/// The <c>read_ahead_kb</c> of devices that programs have open for writing. Each is the writing end of a pipe; what was written is taken
/// before the next call is answered, so whoever asks finds it done.
/// </summary>
internal sealed class ReadAheadFiles(MappedDevices devices)
{
    private const int SectorsPerKibibyte = 2;

    private readonly List<(int Pipe, SeenFile.Device Device)> _open = [];

    /// <summary>Opens one for a call.</summary>
    public void Open(TracedCall call, SeenFile.Device device, bool closeOnExec)
    {
        (int read, int write) = Seccomp.Pipe();
        call.Give(write, closeOnExec);
        Seccomp.Close(write);
        _open.Add((read, device));
    }

    /// <summary>Does what was written; a text that is no number changes nothing.</summary>
    public void Apply()
    {
        Span<byte> bytes = stackalloc byte[64];
        for (int i = _open.Count - 1; i >= 0; i--)
        {
            (int pipe, SeenFile.Device device) = _open[i];
            int length;
            while ((length = Seccomp.ReadPipe(pipe, bytes)) > 0)
            {
                if (uint.TryParse(Encoding.ASCII.GetString(bytes[..length]).TrimEnd('\n', '\0'), NumberStyles.None, CultureInfo.InvariantCulture, out uint kibibytes))
                {
                    devices.SetReadAhead(device, (ulong)kibibytes * SectorsPerKibibyte);
                }
            }

            if (length == 0) // closed
            {
                Seccomp.Close(pipe);
                _open.RemoveAt(i);
            }
        }
    }
}
