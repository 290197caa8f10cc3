using System.Diagnostics;
using System.Text.RegularExpressions;
using Udm.Tests.Daemon;

namespace Udm.Tests;

/// <summary>
/// What pages show in blocks marked <c>sh</c> is run, with a daemon, a <c>disk.img</c> of 64 MiB, and what <c>Pages/PAGE.sh</c> beside this
/// file prepares; no command fails, but for as many as that says.
/// </summary>
/// <remarks>
/// It may have a function <c>before_N</c> for the N-th block. First lines may be <c># needs: PROGRAM...</c>, <c># fails: NUMBER</c>, <c># no daemon</c>, <c># daemon: OPTION...</c>, and
/// <c># not run: REASON</c>. A block that is not run says why: <c>```sh not run: REASON</c>.
/// </remarks>
public sealed partial class PageExampleTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public static TheoryData<string> Pages => [.. RepositoryTests.Pages.Select(page => page.Data).Where(page => Blocks(page).Count > 0)];

    [Theory, MemberData(nameof(Pages))]
    public void Its_examples_run(string page)
    {
        string setup = Setup(page);
        Assert.True(setup.Length > 0, $"{SetupFile(page)} is missing: what the examples need, or why they are not run");
        string? notRun = Directive(setup, "not run");
        Assert.SkipWhen(notRun is not null, notRun ?? "");
        foreach (string program in Directive(setup, "needs")?.Split(' ') ?? [])
        {
            Assert.SkipUnless(Programs.Any(folder => File.Exists(Path.Combine(folder, program))), $"needs {program}");
        }

        Assert.SkipUnless(File.Exists("/dev/fuse"), "needs /dev/fuse");
        string folder = Directory.CreateTempSubdirectory("udm-page").FullName;
        try
        {
            Prepare(folder);
            using RunningDaemon? daemon = setup.Contains("# no daemon\n") ? null : new(null, Directive(setup, "daemon")?.Split(' ') ?? []);
            string run = daemon?.Folder ?? Path.Combine(folder, "run");
            string text = string.Concat(Blocks(page).Select((block, i) => $"if declare -F before_{i + 1}; then before_{i + 1}; fi\n{block}")).Replace("/run/udm/", run + "/").Replace("/tmp/udm-$(id -u)/", run + "/");
            (int status, string output) = Run(folder, run, $"{Frame}{setup}\ntrap 'failed=$((failed + 1)); failures+=\"$BASH_COMMAND\"$'\"'\\n'\"'' ERR\n{text}\nend {Directive(setup, "fails") ?? "0"}\n");
            Assert.True(status == 0, $"{page}: {output}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public static TheoryData<string> PagesWithTerminals =>
        [.. RepositoryTests.Pages.Select(page => page.Data).Where(page => Terminal().IsMatch(File.ReadAllText(Path.Combine(RepositoryTests.Root, page))))];

    /// <summary>Blocks marked <c>console</c> show commands with what they print: <c>/home/me</c> is the current folder, <c>/run/udm</c> the daemon's.</summary>
    [Theory, MemberData(nameof(PagesWithTerminals))]
    public void Its_terminals_show_what_is_printed(string page)
    {
        Assert.SkipUnless(File.Exists("/dev/fuse"), "needs /dev/fuse");
        string folder = Directory.CreateTempSubdirectory("udm-page").FullName;
        try
        {
            Prepare(folder);
            using RunningDaemon daemon = new();
            string shown = string.Concat(Terminal().Matches(File.ReadAllText(Path.Combine(RepositoryTests.Root, page))).Select(match => match.Groups["text"].Value));
            IEnumerable<string> commands = shown.Split('\n').Where(line => line.StartsWith("$ ", StringComparison.Ordinal)).Select(line => line[2..].Replace("/home/me", folder));
            string script = string.Concat(commands.Select(command => $"cat <<'END'\n$ {command}\nEND\n{command}\n"));
            string printed = Run(folder, daemon.Folder, script).Output
                .Replace(folder, "/home/me").Replace(daemon.Folder, "/run/udm").Replace($"(process {daemon.Pid})", "(process N)");
            Assert.Equal(shown, printed);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void What_is_prepared_is_for_a_page_with_examples()
    {
        string root = Path.Combine(RepositoryTests.Root, "tests", "Udm.Tests", "Pages");
        string[] expected = [.. Pages.Select(page => SetupFile(page.Data))];
        Assert.All(Directory.EnumerateFiles(root, "*.sh", SearchOption.AllDirectories), file => Assert.Contains(file, expected));
    }

    // What runs in the background, and every daemon, ends with the page.
    private const string Frame =
        """
        failed=0 failures=
        trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
        end() { trap - ERR; [ "$failed" = "$1" ] || { printf '%s commands failed, %s expected to:\n%s' "$failed" "$1" "$failures"; exit 1; }; exit 0; }

        """;

    private static string[] Programs => [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), "/usr/sbin", "/sbin"];

    /// <summary>The blocks of a page that are run.</summary>
    private static List<string> Blocks(string page) =>
        [.. Block().Matches(File.ReadAllText(Path.Combine(RepositoryTests.Root, page))).Select(match => match.Groups["text"].Value)];

    private static string SetupFile(string page)
    {
        string inside = page.StartsWith("docs/", StringComparison.Ordinal) ? page["docs/".Length..] : page;
        return Path.Combine(RepositoryTests.Root, "tests", "Udm.Tests", "Pages", Path.ChangeExtension(inside, ".sh"));
    }

    private static string Setup(string page) =>
        File.Exists(SetupFile(page)) ? File.ReadAllText(SetupFile(page))
        : page.StartsWith("docs/verbs/", StringComparison.Ordinal) ? "udm create data --table '0 2048 linear mem:1M 0'\n"
        : "";

    private static string? Directive(string setup, string name) =>
        setup.Split('\n').FirstOrDefault(line => line.StartsWith($"# {name}: ", StringComparison.Ordinal))?[(name.Length + 4)..];

    private static void Prepare(string folder)
    {
        using (FileStream disk = File.Create(Path.Combine(folder, "disk.img")))
        {
            disk.SetLength(64 << 20);
        }

        string program = Path.Combine(folder, "bin", "udm");
        Directory.CreateDirectory(Path.GetDirectoryName(program)!);
        File.WriteAllText(program, $"#!/bin/sh\nexec {Path.Combine(AppContext.BaseDirectory, "udm")} \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.CreateSymbolicLink(Path.Combine(folder, "udm"), program);
        File.CreateSymbolicLink(Path.Combine(folder, "examples"), Path.Combine(RepositoryTests.Root, "examples"));
    }

    private static (int Status, string Output) Run(string folder, string run, string script)
    {
        ProcessStartInfo start = new("bash", ["-c", $"exec 2>&1\n{script}"])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["PATH"] = string.Join(':', [Path.Combine(folder, "bin"), .. Programs]);
        start.Environment["UDM_RUN"] = run;
        start.Environment["HOME"] = folder;
        using Process bash = Process.Start(start)!;
        bash.StandardInput.Write("passphrase\n");
        bash.StandardInput.Close();
        Task<string> output = bash.StandardOutput.ReadToEndAsync();
        if (!bash.WaitForExit(Patience))
        {
            bash.Kill(entireProcessTree: true);
            Assert.Fail($"did not end: {script}");
        }

        return (bash.ExitCode, output.Wait(Patience) ? output.Result : "something that it left running keeps its output open");
    }

    [GeneratedRegex(@"^```sh\n(?<text>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^```console\n(?<text>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Terminal();
}
