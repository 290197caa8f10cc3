using DeviceMapper;
using DeviceMapper.Mapping;

namespace Udm.Verbs;

/// <summary>Where <c>create</c> and <c>load</c> take a table from: <c>--table</c>, else a file, else standard input.</summary>
internal static class TableInput
{
    // Fifteen letters and a NUL: struct dm_target_spec's target_type.
    private const int MaxTypeLength = 15;

    /// <summary>Reads a table; relative paths in it are made absolute.</summary>
    /// <param name="context">The verb's surroundings.</param>
    /// <param name="file">The file that was named, or null.</param>
    /// <exception cref="VerbException">A line is malformed, or the file cannot be read.</exception>
    public static IReadOnlyList<TableLine> Read(VerbContext context, string? file)
    {
        return Parse(ReadText(context, file), file is null || context.Options.Has(Option.Table) ? null : file);
    }

    /// <summary>A table's text, as it was given.</summary>
    /// <exception cref="VerbException">The file cannot be read.</exception>
    public static string ReadText(VerbContext context, string? file) =>
        context.Options.Value(Option.Table) ?? (file is null ? ReadStandardInput(context) : ReadFile(file));

    /// <summary>Refuses a target type that no ioctl has room for.</summary>
    public static void CheckType(TableLine line)
    {
        if (line.Type.Length > MaxTypeLength)
        {
            throw new VerbException($"target type '{line.Type}' is too long: at most {MaxTypeLength} letters are expected");
        }
    }

    /// <summary>Reads a table's text.</summary>
    /// <param name="text">A line a target.</param>
    /// <param name="file">The file it is from, for the sentence; or null.</param>
    /// <exception cref="VerbException">A line is malformed.</exception>
    public static IReadOnlyList<TableLine> Parse(string text, string? file = null)
    {
        try
        {
            IReadOnlyList<TableLine> lines = TableParser.Parse(text);
            foreach (TableLine line in lines)
            {
                CheckType(line);
            }

            return TablePaths.Resolve(lines);
        }
        catch (DmException refusal)
        {
            string hint = file is null && File.Exists(text) ? $"; the file '{text}' is given without --table" : "";
            throw new VerbException(file is null ? refusal.Message + hint : $"{file}: {refusal.Message}");
        }
    }

    private static string ReadStandardInput(VerbContext context)
    {
        if (context.InputIsTerminal)
        {
            context.Error.WriteLine("udm: reads the table from standard input; end it with Ctrl-D");
        }

        return context.In.ReadToEnd();
    }

    // dmsetup opens a folder, and finds no lines in it.
    private static string ReadFile(string file) =>
        Directory.Exists(file) ? ""
        : !File.Exists(file) && file.Contains(' ') ? throw new VerbException($"there is no file '{file}' with a table; a table itself is given by --table")
        : TextFile.Read(file);
}
