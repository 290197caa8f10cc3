using System.Runtime.InteropServices;

namespace Udm.Native;

/// <summary>Standard input is a terminal that shows nothing of what is typed, as long as this is there; also a signal that ends the process undoes it.</summary>
internal sealed unsafe partial class TerminalEcho : IDisposable
{
    private const int StructureSize = 60; // struct termios of Linux: four words of flags, then the keys
    private const int LocalFlags = 3; // which word
    private const uint Echo = 8;

    private readonly byte[] _before = new byte[StructureSize];
    private readonly PosixSignalRegistration[] _signals;

    /// <summary>Switches it off.</summary>
    public TerminalEcho()
    {
        PosixSignal[] signals = [PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGHUP, PosixSignal.SIGTERM];
        fixed (byte* before = _before)
        {
            if (tcgetattr(0, before) == 0)
            {
                byte[] silent = [.. _before];
                MemoryMarshal.Cast<byte, uint>(silent.AsSpan())[LocalFlags] &= ~Echo;
                Set(silent);
            }
        }

        _signals = [.. signals.Select(signal => PosixSignalRegistration.Create(signal, _ => Set(_before)))];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration signal in _signals)
        {
            signal.Dispose();
        }

        Set(_before);
    }

    private static void Set(byte[] attributes)
    {
        fixed (byte* bytes = attributes)
        {
            _ = tcsetattr(0, 0, bytes);
        }
    }

    [LibraryImport("libc")]
    private static partial int tcgetattr(int descriptor, byte* attributes);

    [LibraryImport("libc")]
    private static partial int tcsetattr(int descriptor, int when, byte* attributes);
}
