using System.Diagnostics;
using Microsoft.Win32.SafeHandles;
using Udm.Verbs;

namespace Udm.Replay;

/// <summary>Files and block devices, opened and copied; what goes wrong is said in a sentence.</summary>
internal static class Files
{
    /// <summary>Opens one that is there; for writing, one that is not is made.</summary>
    public static SafeFileHandle Open(string path, FileAccess access)
    {
        try
        {
            return File.OpenHandle(path, access == FileAccess.Read ? FileMode.Open : FileMode.OpenOrCreate, access, FileShare.ReadWrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VerbException($"'{path}' cannot be opened: {e.Message}");
        }
    }

    /// <summary>Makes a file of zeroes where there is nothing.</summary>
    public static void MakeIfMissing(string path, long length)
    {
        if (!File.Exists(path))
        {
            using SafeFileHandle file = Open(path, FileAccess.Write);
            RandomAccess.SetLength(file, length);
        }
    }

    /// <summary>The bytes of a file or block device.</summary>
    public static long Length(string path)
    {
        using FileStream stream = new(Open(path, FileAccess.Read), FileAccess.Read, bufferSize: 0);
        return stream.Seek(0, SeekOrigin.End);
    }

    /// <summary>Copies a file: shared where the file system can share it, else with its holes.</summary>
    public static void Copy(string from, string to)
    {
        using Process copy = Process.Start("cp", ["--reflink=auto", "--sparse=always", "--", from, to]);
        copy.WaitForExit();
        if (copy.ExitCode != 0)
        {
            throw new VerbException($"'{from}' cannot be copied to '{to}'");
        }
    }
}
