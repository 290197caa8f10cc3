using System.Text.RegularExpressions;
using DeviceMapper.Targets;

namespace Udm.Tests;

/// <summary>What the repository promises about itself: links, pages, places of files.</summary>
public sealed partial class RepositoryTests
{
    /// <summary>The folder of the solution.</summary>
    public static string Root { get; } = FindRoot();

    private static readonly string[] PageHeadings = ["Table", "Arguments", "Status", "Messages", "Errors", "Limits", "Differences from the kernel"];

    public static TheoryData<string> Pages => [.. Files().Where(f => f.EndsWith(".md"))];

    [Theory, MemberData(nameof(Pages))]
    public void LinksLeadSomewhere(string page)
    {
        string text = Read(page);
        foreach (Match link in Link().Matches(text))
        {
            string target = link.Groups["path"].Value, anchor = link.Groups["anchor"].Value;
            if (target.Contains("://")) continue;

            string path = target.Length == 0 ? page : Path.GetRelativePath(Root, Path.GetFullPath(Path.Combine(Root, Path.GetDirectoryName(page)!, target)));
            Assert.True(Path.Exists(Path.Combine(Root, path)), $"{page} links to {target}, which does not exist");
            if (anchor.Length > 0)
            {
                Assert.True(
                    Heading().Matches(Read(path)).Any(h => Anchor(h.Groups["text"].Value) == anchor),
                    $"{page} links to {target}#{anchor}: no such heading");
            }
        }
    }

    [Fact]
    public void EachTargetHasItsSourceItsTestsAndItsPage()
    {
        foreach (string target in TargetTypes.All.Select(t => t.Name))
        {
            string name = string.Concat(target.Split('-').Select(w => char.ToUpperInvariant(w[0]) + w[1..]));
            Assert.True(
                Files().Any(f => f == $"src/DeviceMapper/Targets/{name}Target.cs" || f.StartsWith($"src/DeviceMapper/Targets/{name}/")),
                $"src/DeviceMapper/Targets/{name}Target.cs is missing");
            string tests = $"tests/DeviceMapper.Tests/Targets/{name}TargetTests.cs", page = $"docs/targets/{target}.md";
            Assert.True(File.Exists(Path.Combine(Root, tests)), $"{tests} is missing");
            Assert.True(File.Exists(Path.Combine(Root, page)), $"{page} is missing");
            Assert.Equal(PageHeadings, Heading().Matches(Read(page)).Where(h => h.Value.StartsWith("## ")).Select(h => h.Groups["text"].Value));
            Assert.Contains("```table", Read(page).Split("\n## ")[0]);
            Assert.Contains($"(targets/{target}.md)", Read("docs/README.md"));
        }
    }

    [Fact]
    public void NoFileNamesAFolderOfTheMachineItWasWrittenOn()
    {
        foreach (string file in Files())
        {
            Match folder = MachineFolder().Match(Read(file));
            Assert.False(folder.Success, $"{file} names {folder.Value}");
        }
    }

    [Fact]
    public void TextFilesEndWithANewlineAndHaveUnixLines()
    {
        foreach (string file in Files().Where(f => Path.GetExtension(f) is ".cs" or ".md" or ".sh" or ".csproj" or ".props" or ".dm"))
        {
            string text = Read(file);
            Assert.True(text.EndsWith('\n') && !text.Contains('\r'), $"{file} does not end with a newline, or has carriage returns");
        }
    }

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "udm.slnx"))) folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException($"no folder above {AppContext.BaseDirectory} has udm.slnx");
    }

    /// <summary>The files of the project, relative to its root; without what is built, and hidden folders but <c>.ci</c>.</summary>
    private static IEnumerable<string> Files(string folder = "")
    {
        DirectoryInfo directory = new(Path.Combine(Root, folder));
        foreach (FileInfo file in directory.EnumerateFiles())
        {
            if (file.Name != ".git" && file.Extension is not (".img" or ".user")) yield return Path.Combine(folder, file.Name);
        }

        foreach (DirectoryInfo inner in directory.EnumerateDirectories())
        {
            if (inner.Name is "bin" or "obj" or "artifacts" or "TestResults" or "BenchmarkDotNet.Artifacts" || (inner.Name[0] == '.' && inner.Name != ".ci")) continue;
            foreach (string file in Files(Path.Combine(folder, inner.Name))) yield return file;
        }
    }

    private static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    private static string Anchor(string heading) =>
        string.Concat(heading.ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-')).Replace(' ', '-');

    [GeneratedRegex(@"(?<![\w$}*.-])/(work/|tmp/wt/|root/\.)")]
    private static partial Regex MachineFolder();

    [GeneratedRegex(@"\]\((?<path>[^)#\s]*)(#(?<anchor>[^)\s]*))?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (?<text>.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
