using System.Diagnostics;

namespace Udm.Tests;

/// <summary>The examples do what they show.</summary>
public sealed class ExampleTests
{
    [Fact]
    public void InProcessWritesReloadsAndReads()
    {
        string source = Path.Combine(RepositoryTests.Root, "examples", "InProcess");
        Assert.InRange(File.ReadAllLines(Path.Combine(source, "Program.cs")).Length, 1, 15);

        // It is built with this project, to the same kind of folder.
        string output = Path.GetRelativePath(Path.Combine(RepositoryTests.Root, "tests", "Udm.Tests"), AppContext.BaseDirectory);
        using Process process = Process.Start(new ProcessStartInfo(Path.Combine(source, output, "InProcess")) { RedirectStandardOutput = true })!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal((0, "Ok\nOk\nwritten by the first table\n"), (process.ExitCode, text));
    }
}
