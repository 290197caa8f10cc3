namespace Udm.Reports;

/// <summary>Lines that are cut after a number of columns; three dots say so, where more than one character is cut.</summary>
/// <param name="output">Where they go.</param>
/// <param name="width">The columns; null: lines are not cut.</param>
internal sealed class CutLines(TextWriter output, int? width)
{
    private char? _held;

    /// <summary>How many columns have been written to the line.</summary>
    public int Column { get; private set; }

    /// <summary>Writes text.</summary>
    public void Write(string text)
    {
        foreach (char c in text)
        {
            Column++;
            if (width is null || Column < width)
            {
                output.Write(c);
            }
            else if (Column == width)
            {
                // The last column has room for one character: it waits until it is known whether it is the last.
                if (_held is not null || c > '\x7f')
                {
                    output.Write("...");
                }
                else
                {
                    _held = c;
                    Column--;
                }
            }
        }
    }

    /// <summary>Ends the line.</summary>
    public void End()
    {
        if (_held is { } last && Column == width - 1)
        {
            output.Write(last);
        }

        _held = null;
        Column = 0;
        output.WriteLine();
    }
}
