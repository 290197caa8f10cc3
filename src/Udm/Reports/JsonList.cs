using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Udm.Reports;

/// <summary>A JSON document on one line: an object with a list, to which objects are added; printed when it is disposed. docs/json.md has the schemas.</summary>
internal sealed class JsonList : IDisposable
{
    private readonly TextWriter _output;
    private readonly MemoryStream _text = new();

    /// <summary>Starts a document.</summary>
    /// <param name="output">Where it is printed.</param>
    /// <param name="name">What is listed.</param>
    public JsonList(TextWriter output, string name)
    {
        _output = output;
        Writer = JsonValues.NewWriter(_text);
        Writer.WriteStartObject();
        Writer.WriteStartArray(name);
    }

    /// <summary>Takes the objects of the list.</summary>
    public Utf8JsonWriter Writer { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Writer.WriteEndArray();
        Writer.WriteEndObject();
        Writer.Dispose();
        _output.WriteLine(Encoding.UTF8.GetString(_text.GetBuffer(), 0, (int)_text.Length));
    }
}

/// <summary>How values are written.</summary>
internal static class JsonValues
{
    // Names may have any letters: they stay readable. What is printed is no part of a web page.
    private static readonly JsonWriterOptions _options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Prints an object on a line.</summary>
    public static void Print(TextWriter output, Action<Utf8JsonWriter> write)
    {
        using MemoryStream text = new();
        using (Utf8JsonWriter writer = NewWriter(text))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length));
    }

    /// <summary>A writer of one document.</summary>
    public static Utf8JsonWriter NewWriter(Stream stream) => new(stream, _options);

    /// <summary>Writes a number, or null.</summary>
    public static void Write(Utf8JsonWriter writer, string name, long? value)
    {
        if (value is { } number)
        {
            writer.WriteNumber(name, number);
        }
        else
        {
            writer.WriteNull(name);
        }
    }
}
