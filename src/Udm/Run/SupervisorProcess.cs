using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using DeviceMapper;
using Udm.Daemon;
using Udm.Native;

namespace Udm.Run;

/// <summary>
/// The process that starts the command and answers its calls. It is a child of the one that the user started, so that this one can end with
/// the command while a child of the command's lives on and is still answered: lvm's dmeventd.
/// </summary>
/// <remarks>
/// It adopts the command's orphans: a process may look into another one's memory, on a system with Yama and without root, only if it is its ancestor.
/// </remarks>
internal sealed class SupervisorProcess
{
    private const string Variable = "UDM_SUPERVISES"; // the descriptor that it tells its parent by

    private readonly AnonymousPipeClientStream _parent;

    private SupervisorProcess(string descriptor)
    {
        _parent = new AnonymousPipeClientStream(PipeDirection.Out, descriptor);
        Process.KeepFromChildren(_parent.SafePipeHandle);
        Environment.SetEnvironmentVariable(Variable, null);
    }

    /// <summary>Whether this process is one.</summary>
    public static bool IsThis([NotNullWhen(true)] out SupervisorProcess? supervisor)
    {
        supervisor = Environment.GetEnvironmentVariable(Variable) is { } descriptor ? new SupervisorProcess(descriptor) : null;
        return supervisor is not null;
    }

    /// <summary>Starts one, with this process's command line.</summary>
    /// <param name="told">Where it tells the command's process, and then its status as of waitpid(2). It ends without the latter where the command is not started.</param>
    /// <returns>Its process.</returns>
    public static int Start(AnonymousPipeServerStream told)
    {
        Environment.SetEnvironmentVariable(Variable, told.GetClientHandleAsString());
        int pid = FilteredCommand.Start(Environment.ProcessPath!, File.ReadAllText("/proc/self/cmdline").Split('\0')[..^1], [], noNewPrivileges: false).Pid;
        told.DisposeLocalCopyOfClientHandle();
        return pid;
    }

    /// <summary>A number that one told; null where it has ended.</summary>
    public static int? Listen(AnonymousPipeServerStream told)
    {
        byte[] number = new byte[sizeof(int)];
        return told.ReadAtLeast(number, number.Length, throwOnEndOfStream: false) == number.Length ? BinaryPrimitives.ReadInt32LittleEndian(number) : null;
    }

    /// <summary>Runs a command, and answers until it and all its children have ended.</summary>
    /// <param name="folder">The daemon's.</param>
    /// <param name="path">The command's file.</param>
    /// <param name="words">Its name and its arguments.</param>
    /// <exception cref="DmException">No daemon answers, or no filter can be set up.</exception>
    public void Run(RunFolder folder, string path, IReadOnlyList<string> words)
    {
        ControlClients clients = new(folder.ControlSocket);
        MappedDevices devices = new(folder, clients);

        // The terminal's signals are for the command; its process passes on what is sent to it.
        PosixSignal[] signals = [PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGHUP, PosixSignal.SIGTERM, PosixSignal.SIGTSTP, PosixSignal.SIGTTIN, PosixSignal.SIGTTOU];
        PosixSignalRegistration[] ignored = [.. signals.Select(signal => PosixSignalRegistration.Create(signal, context => context.Cancel = true))];
        Process.AdoptOrphans();
        FilteredCommand.Started command = FilteredCommand.Start(path, words, NotificationFilter.Instructions(), !Environment.IsPrivilegedProcess);
        Tell(command.Pid);
        Task<int?> end = Task.Factory.StartNew(() => WaitForAll(command), TaskCreationOptions.LongRunning);
        using (SysTree tree = new(devices, folder))
        {
            new Supervisor(command.Listener, folder, clients, devices, tree).Run();
        }

        if (end.Result is { } status)
        {
            Tell(status); // only now: whoever started it may remove the folder
        }

        GC.KeepAlive(ignored);
    }

    /// <summary>Reaps the command and its orphans.</summary>
    /// <returns>The command's status, where it was the last to end.</returns>
    private int? WaitForAll(FilteredCommand.Started command)
    {
        int? untold = null;
        while (FilteredCommand.WaitForAny(out int status) is { } pid)
        {
            if (pid != command.Pid)
            {
                continue;
            }

            if (Seccomp.HasCallers(command.Listener))
            {
                Process.Detach();
                Tell(status);
            }
            else
            {
                untold = status;
            }
        }

        return untold;
    }

    private void Tell(int number)
    {
        try
        {
            _parent.Write(BitConverter.GetBytes(number));
        }
        catch (IOException)
        {
            // The parent was killed: nobody wants to know.
        }
    }
}
