using System.Runtime.InteropServices;

namespace Udm.Daemon;

/// <summary>The signals that end a daemon: SIGTERM and SIGINT. The second one ends the process at once, with status 1.</summary>
internal sealed class Signals : IDisposable
{
    private readonly ManualResetEventSlim _asked = new();
    private readonly PosixSignalRegistration[] _registrations;

    /// <summary>Takes the signals from now on.</summary>
    public Signals() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle),
        PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle),
    ];

    /// <summary>Waits for the first.</summary>
    public void Wait() => _asked.Wait();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true; // the runtime would exit by itself
        if (_asked.IsSet)
        {
            Native.Process.ExitAtOnce(1);
        }

        _asked.Set();
    }
}
