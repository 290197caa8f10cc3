using System.Diagnostics;

namespace Udm.Tests;

/// <summary><c>./udm</c>, in a folder of its own where <c>dotnet</c> is a script that makes a small program and counts the builds.</summary>
public sealed class LauncherTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("udm-launcher").FullName;

    public LauncherTests()
    {
        Directory.CreateDirectory(Path.Combine(_root, "src", "Udm"));
        Directory.CreateDirectory(Path.Combine(_root, "path"));
        File.Copy(Path.Combine(RepositoryTests.Root, "udm"), Path.Combine(_root, "udm"));
        File.WriteAllText(Path.Combine(_root, "Directory.Build.props"), "");
        Write("src/Udm/A.cs", "a");
        Write("src/Udm/B.cs", "b");
        Script("program", "echo \"$$ $*\"; cat; exit 7");
        Script("path/dotnet", """
            echo build >>"$ROOT/builds"
            if [ -n "$WAITERS" ]; then until [ "$(wc -l <"$ROOT/waiters")" = "$WAITERS" ]; do sleep 0.01; done; fi
            if [ -e "$ROOT/broken" ]; then echo "A.cs(1,2): error CS0001: broken"; exit 1; fi
            while [ "$1" != -o ]; do shift; done
            cp "$ROOT/program" "$2/udm"
            """);
        Script("path/flock", """
            echo "$$" >>"$ROOT/waiters"
            PATH=${PATH#*:} exec flock "$@"
            """);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void BuildsOnceAndBecomesTheProgram()
    {
        Result first = Run(input: "one\n", "list", "a b");
        Result second = Run(input: "two\n");

        Assert.Equal(1, Builds);
        Assert.Equal((7, $"{first.Pid} list a b\none\n"), (first.Status, first.Output));
        Assert.Equal((7, $"{second.Pid} \ntwo\n"), (second.Status, second.Output));
        Assert.Equal("udm: building (first run) ...\n", first.Error);
        Assert.Equal("", second.Error);
    }

    [Fact]
    public void BuildsAgainWhenASourceHasChanged()
    {
        Run();
        Write("src/Udm/A.cs", "new");
        Run();
        Assert.Equal(2, Builds);
    }

    [Fact]
    public void BuildsAgainWhenASourceIsReplacedByAnOlderOne()
    {
        Run();
        Write("old.cs", "old");
        File.SetLastWriteTimeUtc(Path.Combine(_root, "old.cs"), new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        File.Move(Path.Combine(_root, "old.cs"), Path.Combine(_root, "src", "Udm", "A.cs"), overwrite: true);
        Run();
        Assert.Equal(2, Builds);
    }

    [Fact]
    public void BuildsAgainWhenASourceIsGone()
    {
        Run();
        File.Delete(Path.Combine(_root, "src", "Udm", "B.cs"));
        Run();
        Assert.Equal(2, Builds);
    }

    [Fact]
    public async Task CallersThatComeDuringABuildWaitForIt()
    {
        Result[] results = await Task.WhenAll(Enumerable.Range(0, 5).Select(
            _ => Task.Factory.StartNew(() => Run(waiters: 5), TaskCreationOptions.LongRunning)));

        Assert.Equal(1, Builds);
        Assert.All(results, r => Assert.Equal(7, r.Status));
        Assert.Single(results, r => r.Error.Length > 0);
    }

    [Fact]
    public void AFailedBuildShowsItsErrorsAndLeavesNothingBehind()
    {
        Run();
        Write("broken", "");
        Write("src/Udm/A.cs", "new");
        Result broken = Run();
        File.Delete(Path.Combine(_root, "broken"));
        Result mended = Run();

        Assert.Equal(1, broken.Status);
        Assert.Contains("A.cs(1,2): error CS0001: broken\nudm: the build failed", broken.Error);
        Assert.Equal(7, mended.Status);
        Assert.Single(Directory.GetDirectories(Path.Combine(_root, "artifacts", "udm"), "quick.??????"));
    }

    [Fact]
    public void AProgramThatStillRunsKeepsItsFiles()
    {
        File.Copy("/bin/cat", Path.Combine(_root, "program"), overwrite: true);
        using Process running = Start();
        running.StandardInput.WriteLine("here");
        Assert.Equal("here", running.StandardOutput.ReadLine());
        Write("src/Udm/A.cs", "new");
        Assert.Equal(0, Run().Status);
        string used = File.ResolveLinkTarget($"/proc/{running.Id}/exe", returnFinalTarget: true)!.FullName;
        Assert.True(File.Exists(used), $"{used} is gone");

        running.StandardInput.Close();
        running.WaitForExit();
        Write("src/Udm/A.cs", "newer");
        Assert.Equal(0, Run().Status);
        Assert.False(File.Exists(used), $"{used} was left behind");
    }

    private int Builds => File.ReadAllLines(Path.Combine(_root, "builds")).Length;

    private void Write(string path, string text) => File.WriteAllText(Path.Combine(_root, path), text);

    private void Script(string path, string text)
    {
        Write(path, "#!/bin/bash\n" + text);
        File.SetUnixFileMode(Path.Combine(_root, path), (UnixFileMode)0b111_101_101);
    }

    private sealed record Result(int Pid, int Status, string Output, string Error);

    private Result Run(string input = "", params string[] arguments) => Run(null, input, arguments);

    private Result Run(int? waiters, string input = "", params string[] arguments)
    {
        using Process process = Start(waiters, arguments);
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new(process.Id, process.ExitCode, output, error.Result);
    }

    private Process Start(int? waiters = null, params string[] arguments)
    {
        ProcessStartInfo start = new(Path.Combine(_root, "udm"), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ROOT"] = _root;
        start.Environment["WAITERS"] = waiters?.ToString();
        start.Environment["PATH"] = $"{_root}/path:{Environment.GetEnvironmentVariable("PATH")}";
        return Process.Start(start)!;
    }
}
