namespace Udm.Verbs;

/// <summary>Files that users write: tables, and devices.</summary>
internal static class TextFile
{
    private const int Beginning = 4096; // bytes

    /// <summary>Reads a file. A disk's image, given by mistake, is refused before it is read as a whole.</summary>
    /// <exception cref="VerbException">It cannot be read, or is no text.</exception>
    public static string Read(string file)
    {
        try
        {
            using FileStream stream = File.OpenRead(file);
            byte[] beginning = new byte[Beginning];
            int length = stream.ReadAtLeast(beginning, Beginning, throwOnEndOfStream: false);
            if (beginning.AsSpan(0, length).Contains((byte)0))
            {
                throw new VerbException($"'{file}' is no text, but a file of bytes; lines of a table are expected");
            }

            using MemoryStream whole = new();
            whole.Write(beginning, 0, length);
            stream.CopyTo(whole);
            whole.Position = 0;
            using StreamReader reader = new(whole);
            return reader.ReadToEnd();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            string reason = Directory.Exists(file) ? "it is a folder" : File.Exists(file) ? "it may not be read" : "there is no such file";
            throw new VerbException($"'{file}' cannot be read: {reason}");
        }
    }
}
