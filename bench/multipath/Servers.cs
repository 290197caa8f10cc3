using System.Diagnostics;

namespace Multipath;

/// <summary>nbdkit servers of one image, each on a Unix socket in a folder of their own.</summary>
internal sealed class Servers : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("udm-bench-").FullName;
    private readonly Dictionary<string, Process> _servers = [];

    /// <summary>Starts them.</summary>
    /// <param name="bytes">The size of the image.</param>
    /// <param name="names">Their names.</param>
    public Servers(long bytes, params string[] names)
    {
        using (FileStream file = File.Create(Image))
        {
            file.SetLength(bytes);
        }

        Array.ForEach(names, Start);
    }

    private string Image => Path.Join(_folder, "image");

    /// <summary>A way to one; each export name is a way of its own.</summary>
    public string Uri(string name, string export = "") => $"nbd+unix:///{export}?socket={Socket(name)}";

    /// <summary>Starts one, and waits until it listens.</summary>
    public void Start(string name)
    {
        _servers[name] = Process.Start("nbdkit", ["-f", "-U", Socket(name), "file", Image]);
        while (!File.Exists(Socket(name)))
        {
            Thread.Sleep(1);
        }
    }

    /// <summary>Kills one, and does not wait for its end.</summary>
    public void Kill(string name) => _servers[name].Kill();

    /// <summary>Removes what a killed one left.</summary>
    public void Clear(string name)
    {
        _servers[name].WaitForExit();
        File.Delete(Socket(name));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Process server in _servers.Values)
        {
            server.Kill();
            server.WaitForExit();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private string Socket(string name) => Path.Join(_folder, name);
}
