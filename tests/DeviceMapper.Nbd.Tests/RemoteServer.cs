using System.Diagnostics;

namespace DeviceMapper.Nbd.Tests;

/// <summary>A server with 32 MiB behind an export: ours, or another program.</summary>
internal sealed class RemoteServer : IDisposable
{
    private const int Size = 32 << 20;
    private static readonly string Udm = Path.Join(AppContext.BaseDirectory, "../../../../../src/Udm/bin/Release/net10.0/udm");

    private readonly string _folder = Directory.CreateTempSubdirectory("udm-nbd-").FullName;
    private readonly string _kind;
    private readonly string _image;
    private Process? _process;

    public RemoteServer(string kind, string? image = null)
    {
        _kind = kind;
        _image = image ?? Path.Join(_folder, "image");
        if (kind.StartsWith("ours", StringComparison.Ordinal))
        {
            Ours = new ServedRegistry();
            Ours.Disk("d").Asynchronous = kind.Contains("asynchronous", StringComparison.Ordinal);
            Ours.Create("d", Size / 512);
            Uri = Ours.Uri("d");
            return;
        }

        using (FileStream file = new(_image, FileMode.OpenOrCreate))
        {
            file.SetLength(Size);
        }

        File.WriteAllText(Path.Join(_folder, "devices"), $"[d]\n0 {Size / 512} linear file:{_image} 0\n");

        Uri = $"nbd+unix:///?socket={Socket}";
        Start();
    }

    public ServedRegistry? Ours { get; }

    public string Uri { get; }

    public string Socket => Path.Join(_folder, "socket");

    /// <summary>Starts the program.</summary>
    public void Start()
    {
        string[] command = _kind switch
        {
            "nbdkit" => ["nbdkit", "-f", "-U", Socket, "file", _image],
            "nbdkit, slow" => ["nbdkit", "-f", "-U", Socket, "--filter=delay", "file", _image, "rdelay=3ms", "wdelay=3ms"],
            "nbdkit, with errors" => ["nbdkit", "-f", "-U", Socket, "--filter=error", "file", _image, "error-rate=1%"],
            "udm" => [Udm, "serve", "--run", Path.Join(_folder, "run"), "--nbd", $"unix:{Socket}", Path.Join(_folder, "devices")],
            "nbdkit without structured replies" => ["nbdkit", "-f", "--no-sr", "-U", Socket, "file", _image],
            "qemu-nbd" => ["qemu-nbd", "-t", "-e", "16", "-f", "raw", "--discard=unmap", "-k", Socket, _image],
            _ => throw new ArgumentException(_kind),
        };
        ServedRegistry.SkipWithout(command[0]);
        _process = System.Diagnostics.Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true, RedirectStandardOutput = true });
        Assert.True(SpinWait.SpinUntil(() => File.Exists(Socket), TimeSpan.FromSeconds(30)), $"{command[0]} does not start");
    }

    /// <summary>How many connections it has: each has a socket of its name, as the one that listens.</summary>
    public int Connections => File.ReadLines("/proc/net/unix").Count(line => line.EndsWith(' ' + Socket, StringComparison.Ordinal)) - 1;

    /// <summary>Whether the program has ended by itself.</summary>
    public bool HasEnded => _process is { HasExited: true };

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
            if (_kind == "udm" && Directory.Exists(Path.Join(_folder, "run")))
            {
                _ = ServedRegistry.Run("fusermount3", "-uz", Path.Join(_folder, "run/mapper")); // which the next one does too, where there is a next
            }
        }
    }

    /// <summary>Stops the program where it is: it neither answers nor closes.</summary>
    public void Stop() => _ = ServedRegistry.Run("kill", "-STOP", $"{_process!.Id}");

    /// <summary>Lets it go on.</summary>
    public void Continue() => _ = ServedRegistry.Run("kill", "-CONT", $"{_process!.Id}");

    public void Dispose()
    {
        Kill();
        Ours?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
