using System.Diagnostics;

namespace Udm.Tests;

/// <summary>The Debian package has what docs/install.md says. It is built of this project's own program, which is not the NativeAOT one.</summary>
public sealed class PackageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("udm-package-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void It_has_program_unit_manual_page_and_completions_and_nothing_named_dmsetup()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/dpkg-deb"), "needs dpkg-deb");
        string package = Output(Path.Combine(RepositoryTests.Root, "packaging", "build-deb"), _folder).Trim();
        string[] files = [.. Output("dpkg-deb", "-c", package).Split('\n').Where(line => line.StartsWith('-')).Select(line => line[(line.LastIndexOf(' ') + 2)..])];
        string[] expected =
        [
            "/usr/bin/udm",
            "/usr/lib/systemd/system/udm.service",
            "/usr/share/man/man1/udm.1.gz",
            "/usr/share/bash-completion/completions/udm",
            "/usr/share/zsh/vendor-completions/_udm",
            "/usr/share/fish/vendor_completions.d/udm.fish",
            "/usr/share/doc/udm/docs/install.md",
        ];
        Assert.All(expected, file => Assert.Contains(file, files));
        Assert.DoesNotContain(files, file => Path.GetFileName(file) == "dmsetup");

        string root = Path.Combine(_folder, "root");
        Output("dpkg-deb", "-x", package, root);
        Assert.Contains("ExecStart=/usr/bin/udm daemon\n", File.ReadAllText(root + "/usr/lib/systemd/system/udm.service"));
        Assert.Contains(".TH UDM 1", Output("gzip", "-dc", root + "/usr/share/man/man1/udm.1.gz"));
        Assert.StartsWith("#compdef udm\n", File.ReadAllText(root + "/usr/share/zsh/vendor-completions/_udm"));
        Assert.True(File.GetUnixFileMode(root + "/usr/bin/udm").HasFlag(UnixFileMode.OtherExecute));
    }

    private static string Output(string program, params string[] words)
    {
        ProcessStartInfo start = new(program, words) { RedirectStandardOutput = true };
        start.Environment["UDM_PROGRAM"] = Path.Combine(AppContext.BaseDirectory, "udm");
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}
