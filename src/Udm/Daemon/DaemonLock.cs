using System.Globalization;
using Udm.Verbs;

namespace Udm.Daemon;

/// <summary>The lock that makes a daemon the only one of its run folder; the kernel lets go of it when the process ends, however it ends.</summary>
internal sealed class DaemonLock : IDisposable
{
    private readonly FileStream _file;

    /// <summary>Takes the lock.</summary>
    /// <exception cref="VerbException">Another daemon has it.</exception>
    public DaemonLock(RunFolder folder)
    {
        try
        {
            _file = new FileStream(folder.LockFile, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
        }
        catch (IOException) when (File.Exists(folder.LockFile))
        {
            throw new VerbException($"another daemon serves in {folder.Path}{Holder(folder)}; another folder is given by --run");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VerbException($"{folder.LockFile} cannot be made: {e.Message}");
        }

        _file.SetLength(0);
        _file.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"));
        _file.Flush();
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static string Holder(RunFolder folder)
    {
        try
        {
            using FileStream file = new(folder.LockFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using StreamReader reader = new(file);
            return reader.ReadLine() is { Length: > 0 } pid ? $" (process {pid})" : "";
        }
        catch (IOException)
        {
            return "";
        }
    }
}
