namespace Udm.Reports;

/// <summary>The list of columns: <c>help -c</c>, and <c>info -c</c> with <c>help</c> for <c>-o</c>, <c>-O</c> or <c>-S</c>.</summary>
internal static class ColumnList
{
    /// <summary>Whether an option's value asks for the list.</summary>
    public static bool IsAskedFor(string fields) => fields.Split(',').Any(word => word is "help" or "?");

    /// <summary>Prints it.</summary>
    public static void Write(TextWriter output)
    {
        output.WriteLine("Columns of 'udm info -c -o' and '--sort'; 'all' is all of them, 'GROUP_all' those of a group:");
        string? group = null;
        foreach (Column<DeviceRow> column in DeviceColumns.All)
        {
            // The columns of a table's devices alternate between two groups: they stand under their first one.
            string section = column.Group == "tree" ? "deps" : column.Group;
            if (section != group)
            {
                group = section;
                output.WriteLine();
                output.WriteLine(section switch { "deps" => "  deps_all, tree_all", Report<DeviceRow>.SpecialGroup => "  in no group", _ => $"  {section}_all" });
            }

            output.WriteLine($"    {column.Id,-18} {column.Description}");
        }

        output.WriteLine();
        output.WriteLine("A selection (-S) compares columns with values: = != < <= > >=, and =~ !~ with a regular expression; && (or ,) || ! ( ) join them.");
        output.WriteLine("'udm stats help -c' lists the columns of statistics.");
    }

    /// <summary>Prints it as JSON.</summary>
    public static void WriteJson(TextWriter output)
    {
        using JsonList json = new(output, "columns");
        foreach (Column<DeviceRow> column in DeviceColumns.All)
        {
            json.Writer.WriteStartObject();
            json.Writer.WriteString("name", column.Id);
            json.Writer.WriteString("group", column.Group);
            json.Writer.WriteString("description", column.Description);
            json.Writer.WriteEndObject();
        }
    }
}
