using System.Globalization;
using Udm.Verbs;

namespace Udm.Reports;

/// <summary>Draws a <see cref="DeviceTree"/> as <c>ls --tree</c> does.</summary>
internal sealed class TreeDrawing
{
    // As dmsetup, which draws nothing deeper; also what ends a loop of tables.
    private const int MaxDepth = 98;

    private readonly TreeOptions _options;
    private readonly CutLines _lines;

    // For each depth of the branch that is drawn: whether siblings follow, and how wide its name is (compact trees only).
    private readonly bool[] _hasMore = new bool[MaxDepth + 2];
    private readonly int[] _widths = new int[MaxDepth + 2];

    private TreeDrawing(TextWriter output, TreeOptions options)
    {
        _options = options;
        _lines = new CutLines(output, options.Width);
    }

    /// <summary>Draws it.</summary>
    public static void Write(TextWriter output, DeviceTree tree, TreeOptions options) =>
        new TreeDrawing(output, options).DrawAll(options.Inverted ? tree.Bottoms : tree.Tops, 0);

    private void DrawAll(List<DeviceNode> nodes, int depth)
    {
        for (int i = 0; i < nodes.Count; i++)
        {
            List<DeviceNode> children = _options.Inverted ? nodes[i].UsedBy : nodes[i].Uses;
            if (depth <= MaxDepth)
            {
                Draw(nodes[i], depth, isLast: i == nodes.Count - 1, children.Count > 0);
                DrawAll(children, depth + 1);
            }
        }
    }

    private void Draw(DeviceNode node, int depth, bool isLast, bool hasChildren)
    {
        if (node.Name.Length == 0 && !_options.Numbers && !_options.BlockNames)
        {
            return;
        }

        _hasMore[depth] = !isLast;
        _widths[depth] = 0;
        bool continuesLine = _options.Compact && _lines.Column > 0;
        if (!continuesLine)
        {
            Indent(depth);
        }

        int start = _lines.Column;
        if (continuesLine)
        {
            _lines.Write(_hasMore[depth] ? _options.Symbols.First : _options.Symbols.Single);
        }

        _lines.Write(node.Info is null ? OwnWord(node) : node.Name);
        if (_options.BlockNames && BlockDeviceNames.Of(node) is { } name)
        {
            _lines.Write($" <{name}>");
        }

        if (_options.Numbers)
        {
            _lines.Write($" ({node.Number})");
        }

        _lines.Write(Attributes(node.Info));
        if (_options.Compact)
        {
            _widths[depth] = _lines.Column - start;
        }

        if (!_options.Compact || !hasChildren)
        {
            _lines.End();
        }
    }

    /// <summary>Of a device that is no block device, the word that names it in tables; the kernel has none such.</summary>
    private static string OwnWord(DeviceNode node) =>
        node.TableName is { } word && !DeviceMapper.Io.DeviceNumber.TryParse(word, out _) ? word : "";

    private void Indent(int depth)
    {
        for (int d = 0; d < depth; d++)
        {
            _lines.Write(new string(' ', _widths[d] + 1));
            _lines.Write(d == depth - 1
                ? _hasMore[depth] ? _options.Symbols.Branch : _options.Symbols.Last
                : _hasMore[d + 1] ? _options.Symbols.Line : _options.Symbols.Empty);
        }
    }

    private string Attributes(DeviceInfo? info)
    {
        if (info is null || !_options.HasAttributes)
        {
            return "";
        }

        List<string> attributes = [];
        if (_options.Active)
        {
            attributes.Add(info.IsSuspended ? "SUSPENDED" : "ACTIVE");
        }

        if (_options.Mode)
        {
            attributes.Add(info.IsReadOnly ? "RO" : "RW");
        }

        if (_options.OpenCount)
        {
            attributes.Add(info.OpenCount.ToString(CultureInfo.InvariantCulture));
        }

        if (_options.Uuid)
        {
            attributes.Add(info.Uuid);
        }

        return $" [{string.Join(", ", attributes)}]";
    }
}
