using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using Udm.Verbs;

namespace Udm.Tests.Verbs;

/// <summary>Runs verbs on a registry in this process, with a folder for files.</summary>
internal sealed class LocalVerbs : IDisposable
{
    private readonly LocalControl _control;

    public LocalVerbs()
    {
        Folder = Directory.CreateTempSubdirectory("udm-verbs").FullName;
        Registry = new DeviceRegistry(new DeviceRegistryOptions { MapperFolder = Path.Combine(Folder, "mapper") });
        _control = new LocalControl(Registry);
    }

    /// <summary>The folder; the registry's own is <c>mapper</c> in it.</summary>
    public string Folder { get; }

    public DeviceRegistry Registry { get; }

    /// <summary>Whether somebody at a terminal reads standard error.</summary>
    public bool ErrorIsTerminal { get; set; }

    /// <summary>Makes a file.</summary>
    /// <returns>Its path.</returns>
    public string File(string name, string text)
    {
        string path = Path.Combine(Folder, name);
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Makes a disk, a file of zeroes.</summary>
    /// <returns>Its path.</returns>
    public string Disk(string name, long bytes = 1 << 20)
    {
        string path = Path.Combine(Folder, name);
        using FileStream disk = System.IO.File.Create(path);
        disk.SetLength(bytes);
        return path;
    }

    /// <summary>Runs a verb.</summary>
    public (int Status, string Output, string Error) Run(params string[] words) => RunWith("", words);

    /// <summary>Runs a verb that must succeed.</summary>
    public string Ok(params string[] words)
    {
        (int status, string output, string error) = Run(words);
        Assert.True(status == 0 && error.Length == 0, $"udm {string.Join(' ', words)}: {error}{output}");
        return output;
    }

    /// <summary>Runs a verb with a standard input.</summary>
    public (int Status, string Output, string Error) RunWith(string input, params string[] words)
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        CommandLine line = CommandLine.Parse(["--run", Folder, .. words]);
        int status = VerbRunner.Run(new VerbContext(line, _control) { Out = output, Error = error, In = new StringReader(input), ErrorIsTerminal = ErrorIsTerminal });
        return (status, output.ToString(), error.ToString());
    }

    public void Dispose()
    {
        Registry.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
