using System.IO.Pipes;
using System.Runtime.InteropServices;
using DeviceMapper;
using DeviceMapper.Native;
using Udm.Daemon;
using Udm.Native;
using Udm.Verbs;

namespace Udm.Run;

/// <summary><c>udm run</c>: has a command run under a supervisor, and ends as it ends.</summary>
internal static class RunCommand
{
    private const int NotFound = 127; // as a shell's
    private const string DisableUdev = "DM_DISABLE_UDEV";
    private const string SearchPath = "PATH";
    private const int SigHup = 1, SigTerm = 15;

    private static readonly string[] _systemFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

    /// <summary>Runs a command.</summary>
    /// <param name="folder">The daemon's.</param>
    /// <param name="words">The command and its arguments.</param>
    /// <param name="error">Told what keeps it from running.</param>
    /// <returns>Its exit status; where a signal ended it, this process ends by the same.</returns>
    /// <exception cref="DmException">No daemon answers, or no filter can be set up.</exception>
    public static int Run(RunFolder folder, IReadOnlyList<string> words, TextWriter error)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            throw new VerbException("it knows the system calls of x86-64 only");
        }

        AddSystemFolders();
        if (Find(words[0]) is not { } path)
        {
            error.WriteLine($"udm: run: there is no program '{words[0]}'");
            return NotFound;
        }

        // Else lvm waits for the links in /dev that udev makes, also where there is no udev.
        if (Environment.GetEnvironmentVariable(DisableUdev) is null)
        {
            Environment.SetEnvironmentVariable(DisableUdev, "1");
        }

        if (SupervisorProcess.IsThis(out SupervisorProcess? supervisor))
        {
            supervisor.Run(folder, path, words);
            return 0;
        }

        // A terminal's signals reach the command by itself; others are passed on to it.
        int? pid = null;
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        using PosixSignalRegistration quit = PosixSignalRegistration.Create(PosixSignal.SIGQUIT, context => context.Cancel = true);
        using PosixSignalRegistration hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => PassOn(context, SigHup));
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => PassOn(context, SigTerm));
        using AnonymousPipeServerStream told = new(PipeDirection.In, HandleInheritability.Inheritable);
        int process = SupervisorProcess.Start(told);
        pid = SupervisorProcess.Listen(told);
        if (SupervisorProcess.Listen(told) is not { } status)
        {
            status = FilteredCommand.Wait(process); // it has said why
        }

        int signal = status & 0x7f;
        if (signal != 0)
        {
            FilteredCommand.EndBy(signal);
        }

        return (status >> 8) & 0xff;

        void PassOn(PosixSignalContext context, int number)
        {
            context.Cancel = true;
            if (pid is { } command)
            {
                FilteredCommand.Kill(command, number);
            }
        }
    }

    /// <summary>The path of users without root often lacks the folders that dmsetup, lvm and the like lie in; here these need no root.</summary>
    private static void AddSystemFolders()
    {
        string[] folders = (Environment.GetEnvironmentVariable(SearchPath) ?? "/usr/local/bin:/usr/bin:/bin").Split(':');
        Environment.SetEnvironmentVariable(SearchPath, string.Join(':', folders.Concat(_systemFolders.Except(folders))));
    }

    private static string? Find(string name)
    {
        if (name.Contains('/'))
        {
            return File.Exists(name) ? name : null;
        }

        return Environment.GetEnvironmentVariable(SearchPath)!.Split(':').Select(folder => Path.Combine(folder.Length == 0 ? "." : folder, name)).FirstOrDefault(IsProgram);
    }

    private static bool IsProgram(string path) =>
        File.Exists(path) && (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0;
}
