using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Loop;

/// <summary>
/// The names of block devices: <c>NAME</c> in a folder of ours leads to its loop device, and <c>/dev/mapper/NAME</c> leads
/// there, if nobody else has that name. Our folder is there as long as it has a name in it. By where they lead ours are told from others', also those of a daemon that was killed.
/// </summary>
/// <param name="folder">Our folder, absolute.</param>
internal sealed class BlockLinks(string folder)
{
    private const string KernelFolder = "/dev/mapper";

    private bool _madeKernelFolder;

    /// <summary>Removes what a killed daemon left, and sees that our folder can be made.</summary>
    /// <exception cref="DmException">The folder cannot be made.</exception>
    public void Prepare()
    {
        Clear();
        try
        {
            Directory.CreateDirectory(folder);
            RemoveEmpty(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DmException(Errno.EACCES, $"{folder} cannot be made: {e.Message}", e);
        }
    }

    /// <summary>Names a block device.</summary>
    /// <returns>What keeps it from having its name in /dev/mapper too; null where it has.</returns>
    public string? Add(string name, string node)
    {
        string ours = Path.Join(folder, name);
        Directory.CreateDirectory(folder);
        File.Delete(ours);
        File.CreateSymbolicLink(ours, node);
        string link = Path.Join(KernelFolder, name);
        try
        {
            if (!Directory.Exists(KernelFolder))
            {
                Directory.CreateDirectory(KernelFolder);
                _madeKernelFolder = true;
            }

            RemoveOurs(link);
            File.CreateSymbolicLink(link, ours);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    /// <summary>Removes a name.</summary>
    public void Remove(string name)
    {
        RemoveOurs(Path.Join(KernelFolder, name));
        if (Directory.Exists(folder))
        {
            File.Delete(Path.Join(folder, name));
            RemoveEmpty(folder);
        }
    }

    /// <summary>Removes all that is ours.</summary>
    public void Clear()
    {
        if (Directory.Exists(KernelFolder))
        {
            foreach (string link in Directory.EnumerateFileSystemEntries(KernelFolder))
            {
                RemoveOurs(link);
            }
        }

        if (Directory.Exists(folder))
        {
            foreach (string link in Directory.EnumerateFileSystemEntries(folder).Where(entry => new FileInfo(entry).LinkTarget is not null))
            {
                File.Delete(link);
            }
        }
    }

    /// <summary>Removes all that is ours, with the folders that we made and nobody else uses.</summary>
    public void Dispose()
    {
        Clear();
        RemoveEmpty(folder);
        if (_madeKernelFolder)
        {
            RemoveEmpty(KernelFolder);
        }
    }

    private static void RemoveEmpty(string path)
    {
        try
        {
            if (Directory.Exists(path) && !Directory.EnumerateFileSystemEntries(path).Any())
            {
                Directory.Delete(path);
            }
        }
        catch (IOException)
        {
            // Somebody has put something there.
        }
    }

    private void RemoveOurs(string link)
    {
        if (new FileInfo(link).LinkTarget is { } target && target.StartsWith(folder + "/", StringComparison.Ordinal))
        {
            try
            {
                File.Delete(link);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // /dev has become read-only: it leads nowhere, and is cleaned up another time.
            }
        }
    }
}
