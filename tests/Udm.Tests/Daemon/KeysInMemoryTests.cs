using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Text;
using DeviceMapper.Cryptography;
using DeviceMapper.Volumes.Luks;

namespace Udm.Tests.Daemon;

/// <summary>What a core file of the daemon, or of the command line, has of a key in use: nothing. That it has memory at all, a marker shows.</summary>
public sealed class KeysInMemoryTests : IDisposable
{
    private const string Marker = "planted-marker-0123456789";
    private static readonly byte[] _key = [.. Enumerable.Range(0, 64).Select(i => (byte)((i * 37) + 11))];
    private static readonly string _hex = Convert.ToHexStringLower(_key);

    private readonly RunningDaemon _daemon;
    private readonly string _image;
    private readonly string _keyFile;

    public KeysInMemoryTests()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/gcore"), "needs gcore (gdb)");
        _daemon = new RunningDaemon();
        _image = Path.Combine(_daemon.Folder, "image");
        _keyFile = Path.Combine(_daemon.Folder, "key");
        File.WriteAllText(_keyFile, "a passphrase");
        using FileStream file = File.Create(_image);
        file.SetLength(20 << 20);
    }

    public void Dispose() => _daemon.Dispose();

    /// <summary>The ways in which the daemon gets a key.</summary>
    [Theory]
    [InlineData("0 4096 crypt aes-xts-plain64 KEY 0 mem:2M 0", null)]
    [InlineData("0 4096 crypt aes-xts-plain64 KEY 0 mem:2M 0", "key set KEY")]
    [InlineData("0 4096 crypt aes-cbc-essiv:sha256 KEY32 0 mem:2M 0", null)]
    [InlineData("0 1024 integrity mem:2M 0 - D 1 internal_hash:hmac(sha256):KEY", null)]
    public void A_core_file_of_the_daemon_has_no_key(string table, string? message)
    {
        string key = table.Contains("KEY32") ? _hex[..64] : _hex;
        string first = message is null ? key : new string('1', key.Length);
        _daemon.UdmOk("create", Marker, "--table", table.Replace("KEY32", first).Replace("KEY", first));
        if (message is not null)
        {
            _daemon.UdmOk("suspend", Marker);
            _daemon.UdmOk("message", Marker, "0", message.Replace("KEY", key));
            _daemon.UdmOk("resume", Marker);
        }

        Use(Marker);
        Assert.Empty(Found(Gcore(_daemon.Pid), Convert.FromHexString(key)));
        Assert.Contains(key, _daemon.UdmOk("table", Marker, "--showkeys"));
    }

    [Fact]
    public void A_core_file_of_daemon_and_command_line_has_no_key_of_a_LUKS_volume()
    {
        LuksVolume volume = LuksVolume.Format(_image, "a passphrase"u8, new LuksFormat { Derivation = "pbkdf2", Iterations = 1000 });
        using SecretMemory key = volume.Unlock("a passphrase"u8);
        byte[] secret = key.Span.ToArray();

        Assert.Empty(FoundInCommand(secret, "luks", "open", _image, Marker, "--key-file", _keyFile));
        Use(Marker);
        Assert.Empty(Found(Gcore(_daemon.Pid), secret));
        Assert.Matches("crypt aes-xts-plain64 :64:logon:cryptsetup:[0-9a-f-]{36}-d0 0 ", _daemon.UdmOk("table", Marker, "--showkeys"));

        // The kernel's own core file, too.
        Assert.SkipUnless(File.ReadAllText("/proc/sys/kernel/core_pattern") == "core\n", "core files go elsewhere here");
        Process.Start("prlimit", [$"--pid={_daemon.Pid}", "--core=unlimited:unlimited"]).WaitForExit();
        _daemon.Signal("ABRT"); // which the runtime takes, and no longer from then on
        Assert.True(SpinWait.SpinUntil(() => !TakesAbort(_daemon.Pid), TimeSpan.FromSeconds(60)), "the runtime still takes SIGABRT");
        _daemon.Signal("ABRT");
        _daemon.WaitForEnd();
        string? core = new[] { "core", $"core.{_daemon.Pid}" }.Select(name => Path.Combine(Environment.CurrentDirectory, name)).FirstOrDefault(File.Exists);
        Assert.SkipWhen(core is null, "the kernel wrote no core file");
        Assert.Empty(Found(core!, secret));
    }

    [Fact]
    public void Where_no_memory_may_be_locked_a_sentence_says_so()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/setpriv"), "needs setpriv (util-linux)");
        string folder = Directory.CreateTempSubdirectory("udm-daemon").FullName;
        string udm = Path.Combine(AppContext.BaseDirectory, "udm");
        Process process = Process.Start(new ProcessStartInfo(
            "prlimit", ["--memlock=4096:4096", "setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock", udm, "daemon", "--run", folder])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        using RunningDaemon daemon = new(folder, process);
        (int status, _, string error) = daemon.Udm("create", "m", "--table", $"0 4096 crypt aes-xts-plain64 {_hex} 0 mem:2M 0");
        Assert.Equal(1, status);
        Assert.Contains("cannot be locked in memory: raise the limit on locked memory (ulimit -l, LimitMEMLOCK=, or RLIMIT_MEMLOCK)", error);
    }

    [Fact]
    public void A_core_file_of_daemon_and_command_line_has_no_key_of_an_integrity_volume()
    {
        File.WriteAllBytes(_keyFile, _key);
        string[] keys = ["--integrity", "hmac-sha256", "--integrity-key-file", _keyFile, "--journal-integrity", "hmac-sha256", "--journal-integrity-key-file", _keyFile];
        _daemon.UdmOk(["integrity", "format", _image, "--no-wipe", .. keys]);
        Assert.Empty(FoundInCommand(_key, ["integrity", "open", _image, Marker, .. keys, "--integrity-recalculate"]));
        Use(Marker);
        Assert.Empty(Found(Gcore(_daemon.Pid), _key));
        Assert.Matches($"internal_hash:hmac\\(sha256\\):{_hex} journal_mac:hmac\\(sha256\\):{_hex}\n", _daemon.UdmOk("table", Marker, "--showkeys"));
    }

    /// <summary>What a core file of a command has of a key. It is made while the daemon stands still: the command has the key, and waits.</summary>
    private List<string> FoundInCommand(byte[] key, params string[] words)
    {
        _daemon.Signal("STOP");
        try
        {
            using Process command = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "udm"), words) { Environment = { ["UDM_RUN"] = _daemon.Folder } })!;
            Assert.True(SpinWait.SpinUntil(() => Waits(command), TimeSpan.FromSeconds(60)), "the command does not wait for the daemon");
            List<string> found = Found(Gcore(command.Id), key);
            _daemon.Signal("CONT");
            command.WaitForExit();
            Assert.Equal(0, command.ExitCode);
            return found;
        }
        finally
        {
            _daemon.Signal("CONT");
        }
    }

    /// <summary>Whether the main thread of a process waits for what comes out of a socket.</summary>
    private static bool Waits(Process process)
    {
        string receive = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "212" : "47"; // recvmsg
        try
        {
            string[] call = File.ReadAllText($"/proc/{process.Id}/task/{process.Id}/syscall").Split(' ');
            return call[0] == receive && new FileInfo($"/proc/{process.Id}/fd/{Convert.ToInt32(call[1], 16)}").LinkTarget?.StartsWith("socket:") == true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Whether a process has a handler of SIGABRT; not, where it has ended.</summary>
    private static bool TakesAbort(int pid)
    {
        const ulong Abort = 1 << 5;
        try
        {
            string caught = File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("SigCgt:"));
            return (Convert.ToUInt64(caught.Split('\t')[1], 16) & Abort) != 0;
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Reads and writes a device.</summary>
    private void Use(string name)
    {
        using FileStream device = new(_daemon.FileOf(name), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        byte[] block = Encoding.ASCII.GetBytes(new string('x', 4096));
        for (int i = 0; i < 16; i++)
        {
            device.Write(block);
        }

        device.Flush(flushToDisk: true);
        device.Position = 0;
        device.ReadExactly(block);
    }

    private string Gcore(int pid)
    {
        string prefix = Path.Combine(_daemon.Folder, "dump");
        (int status, string output) = BlockMachine.Run("/usr/bin/gcore", "-o", prefix, pid.ToString());
        Assert.True(status == 0, output);
        return $"{prefix}.{pid}";
    }

    /// <summary>What a core file has of a key; the file is deleted.</summary>
    private static unsafe List<string> Found(string core, byte[] key)
    {
        List<(string Name, byte[] Bytes)> secrets =
        [
            ("the key", key),
            ("its first half", key[..(key.Length / 2)]),
            ("its second half", key[(key.Length / 2)..]),
            ("its digits", Encoding.ASCII.GetBytes(Convert.ToHexStringLower(key))),
            ("its digits in UTF-16", Encoding.Unicode.GetBytes(Convert.ToHexStringLower(key))),
            ("digits of its second half", Encoding.ASCII.GetBytes(Convert.ToHexStringLower(key[(key.Length / 2)..]))),
            ("digits of its second half in UTF-16", Encoding.Unicode.GetBytes(Convert.ToHexStringLower(key[(key.Length / 2)..]))),
        ];
        foreach (byte[] half in new[] { key[..32], key.Length == 64 ? key[32..] : key[..32] })
        {
            using AesKey schedule = new();
            schedule.Set(half);
            for (int round = 0; round <= schedule.Rounds; round++)
            {
                secrets.Add(($"round key {round} of encryption", new ReadOnlySpan<byte>(schedule.Encrypting + round, 16).ToArray()));
                secrets.Add(($"round key {round} of decryption", new ReadOnlySpan<byte>(schedule.Decrypting + round, 16).ToArray()));
            }
        }

        secrets.AddRange([("marker", Encoding.ASCII.GetBytes(Marker)), ("marker", Encoding.Unicode.GetBytes(Marker))]);
        ILookup<ushort, (string Name, byte[] Bytes)> byStart = secrets.ToLookup(secret => BitConverter.ToUInt16(secret.Bytes));
        bool[] starts = new bool[1 << 16];
        foreach (IGrouping<ushort, (string, byte[])> group in byStart)
        {
            starts[group.Key] = true;
        }

        HashSet<string> found = [];
        try
        {
            using MemoryMappedFile file = MemoryMappedFile.CreateFromFile(core, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
            using MemoryMappedViewAccessor view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            byte* start = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            long length = new FileInfo(core).Length;
            for (long at = 0; at < length - 1; at++)
            {
                ushort two = *(ushort*)(start + at);
                if (starts[two])
                {
                    found.UnionWith(byStart[two]
                        .Where(secret => at + secret.Bytes.Length <= length && new ReadOnlySpan<byte>(start + at, secret.Bytes.Length).SequenceEqual(secret.Bytes))
                        .Select(secret => secret.Name));
                }
            }

            view.SafeMemoryMappedViewHandle.ReleasePointer();
        }
        finally
        {
            File.Delete(core);
        }

        Assert.True(found.Remove("marker"), "the core file has not even the marker: it says nothing");
        return [.. found];
    }
}
