using System.Diagnostics;

namespace DeviceMapper.Nbd.Tests;

/// <summary>A server with 32 MiB behind an export: ours, or another program.</summary>
internal sealed class RemoteServer : IDisposable
{
    private const int Size = 32 << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("udm-nbd-").FullName;
    private readonly string _kind;
    private Process? _process;

    public RemoteServer(string kind)
    {
        _kind = kind;
        if (kind.StartsWith("ours", StringComparison.Ordinal))
        {
            Ours = new ServedRegistry();
            Ours.Disk("d").Asynchronous = kind.Contains("asynchronous", StringComparison.Ordinal);
            Ours.Create("d", Size / 512);
            Uri = Ours.Uri("d");
            return;
        }

        string image = Path.Join(_folder, "image");
        using (FileStream file = File.Create(image))
        {
            file.SetLength(Size);
        }

        Uri = $"nbd+unix:///?socket={Socket}";
        Start();
    }

    public ServedRegistry? Ours { get; }

    public string Uri { get; }

    public string Socket => Path.Join(_folder, "socket");

    /// <summary>Starts the program.</summary>
    public void Start()
    {
        string image = Path.Join(_folder, "image");
        string[] command = _kind switch
        {
            "nbdkit" => ["nbdkit", "-f", "-U", Socket, "file", image],
            "nbdkit without structured replies" => ["nbdkit", "-f", "--no-sr", "-U", Socket, "file", image],
            "qemu-nbd" => ["qemu-nbd", "-t", "-e", "16", "-f", "raw", "--discard=unmap", "-k", Socket, image],
            _ => throw new ArgumentException(_kind),
        };
        ServedRegistry.SkipWithout(command[0]);
        _process = System.Diagnostics.Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true });
        Assert.True(SpinWait.SpinUntil(() => File.Exists(Socket), TimeSpan.FromSeconds(30)), $"{command[0]} does not start");
    }

    /// <summary>Kills the program, as a crash would.</summary>
    public void Kill()
    {
        if (_process is { } process)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
            _process = null;
            File.Delete(Socket);
        }
    }

    /// <summary>Stops the program where it is: it neither answers nor closes.</summary>
    public void Stop() => ServedRegistry.RunOk("kill", "-STOP", $"{_process!.Id}");

    public void Dispose()
    {
        Kill();
        Ours?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
