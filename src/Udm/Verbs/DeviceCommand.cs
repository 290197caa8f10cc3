using System.ComponentModel;
using System.Diagnostics;

namespace Udm.Verbs;

/// <summary>The command of <c>--exec</c>, which is run for each device with its path as last argument.</summary>
internal static class DeviceCommand
{
    /// <summary>Runs it, and waits for its end. How it ends does not matter, as in dmsetup.</summary>
    /// <param name="context">The verb's surroundings.</param>
    /// <param name="command">Its words, separated by blanks.</param>
    /// <param name="name">The device's name, in the daemon's form.</param>
    /// <exception cref="VerbException">It has no words.</exception>
    public static void Run(VerbContext context, string command, string name)
    {
        string[] words = command.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0)
        {
            throw new VerbException("--exec: a command is expected");
        }

        context.Out.Flush();
        try
        {
            using Process process = Process.Start(words[0], [.. words[1..], Path.Combine(context.Run.Mapper, name)]);
            process.WaitForExit();
        }
        catch (Win32Exception problem)
        {
            context.Warn($"--exec: '{words[0]}' cannot be run: {problem.Message}"); // dmsetup finds out in a child, whose status it does not look at
        }
    }
}
