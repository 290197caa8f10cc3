using System.Diagnostics;
using Udm.Tests.Daemon;

namespace Udm.Tests.Verbs;

/// <summary><c>udm watch</c> on a terminal, which Python makes: it fits, also after the terminal was resized, and leaves it as it was.</summary>
public sealed class WatchTerminalTests
{
    // Arguments: columns before, columns after, what ends it (q, or the key of Ctrl-C), the program. Prints the longest line of each size, the
    // exit status, and whether the terminal's modes are what they were.
    private const string Terminal =
        """
        import fcntl, os, pty, re, struct, subprocess, sys, termios
        first, second, key, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode(), sys.argv[4:]
        control, terminal = pty.openpty()
        def resize(columns): fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
        resize(first)
        before = termios.tcgetattr(terminal)
        child = subprocess.Popen(program, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
                                 preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        seen = b''
        def screen():
            global seen
            seen = seen[seen.rfind(b'\x1b[H'):] if b'\x1b[H' in seen else b''
            while True:
                seen += os.read(control, 65536)
                parts = seen.split(b'\x1b[H')
                if len(parts) > 2: seen = b'\x1b[H' + parts[-1]; return parts[-2]
        def longest(text): return max(len(line) for line in re.sub(rb'\x1b\[[0-9;?]*[a-zA-Z]', b'', text).decode().splitlines())
        print(longest(screen()))
        resize(second)
        for _ in range(50):
            width = longest(screen())
            if width == second: break
        print(width)
        os.write(control, key)
        import threading
        threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(control, 65536), b'')], daemon=True).start()
        print(child.wait())
        print(termios.tcgetattr(terminal)[3] == before[3])
        """;

    [Theory]
    [InlineData(40, 20, "q")]
    [InlineData(20, 60, "\u0003")]
    public async Task It_fits_and_leaves_the_terminal_as_it_was(int first, int second, string key)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/python3"), "needs python3");
        using RunningDaemon daemon = new();
        daemon.UdmOk("create", "m", "--table", "0 2048 zero");
        string[] words = ["-c", Terminal, $"{first}", $"{second}", key, Path.Combine(AppContext.BaseDirectory, "udm"), "watch", "--interval", "0.1"];
        ProcessStartInfo start = new("/usr/bin/python3", words) { RedirectStandardOutput = true };
        start.Environment["UDM_RUN"] = daemon.Folder;
        start.Environment["TERM"] = "xterm";
        using Process python = Process.Start(start)!;
        Task<string> output = python.StandardOutput.ReadToEndAsync();
        if (!python.WaitForExit(180_000))
        {
            python.Kill(entireProcessTree: true);
            Assert.Fail("it did not end");
        }

        Assert.Equal($"{first}\n{second}\n0\nTrue\n", await output);
        Assert.Equal("", daemon.UdmOk("message", "m", "0", "@stats_list"));
    }
}
