using System.Globalization;
using Udm.Verbs;

namespace Udm.Daemon;

/// <summary>The lock that makes a daemon the only one of its run folder; the kernel lets go of it when the process ends, however it ends.</summary>
internal sealed class DaemonLock : IDisposable
{
    private const long LockedByte = 1 << 20;

    private readonly FileStream _file;

    /// <summary>Takes the lock.</summary>
    /// <exception cref="VerbException">Another daemon has it.</exception>
    public DaemonLock(RunFolder folder)
    {
        try
        {
            _file = new FileStream(folder.LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VerbException($"{folder.LockFile} cannot be made: {e.Message}");
        }

        try
        {
            _file.Lock(LockedByte, 1); // beyond the text, so that the text can be read
        }
        catch (IOException)
        {
            using StreamReader reader = new(_file);
            string process = reader.ReadLine() is { Length: > 0 } pid ? $" (process {pid})" : "";
            throw new VerbException($"another daemon serves in {folder.Path}{process}; another folder is given by --run");
        }

        _file.SetLength(0);
        _file.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"));
        _file.Flush();
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
