using DeviceMapper.Metadata;
using DeviceMapper.Native;
using Microsoft.Win32.SafeHandles;

namespace DeviceMapper.Volumes.Thin;

/// <summary>Reads metadata blocks that may be damaged: goes on behind what cannot be read, and gathers a sentence for each. Writes nothing.</summary>
internal sealed class MetadataReader : IDisposable
{
    private const int MostLevels = 16; // of a btree

    private readonly SafeFileHandle _file;

    /// <summary>Opens a file or block device for reading.</summary>
    /// <exception cref="DmException">ENOENT, EACCES and the like.</exception>
    public MetadataReader(string path)
    {
        try
        {
            _file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        }
        catch (UnauthorizedAccessException)
        {
            throw new DmException(Errno.EACCES, $"'{path}' may not be read");
        }
        catch (IOException e)
        {
            throw new DmException(e is FileNotFoundException or DirectoryNotFoundException ? Errno.ENOENT : Errno.EIO, $"'{path}' cannot be opened");
        }
    }

    /// <summary>Is told of an entry of a btree.</summary>
    public delegate void Visitor(ulong key, ReadOnlySpan<byte> value);

    /// <summary>What was found damaged, a sentence each.</summary>
    public List<string> Damage { get; } = [];

    /// <summary>Is told of each block that is read well: for progress.</summary>
    public Action? BlockRead { get; set; }

    /// <summary>Reads a block.</summary>
    /// <param name="number">Which.</param>
    /// <param name="kind">What it must be.</param>
    /// <param name="part">What of the metadata it belongs to, for a sentence.</param>
    /// <returns>Null where it is damaged; that has been noted.</returns>
    public byte[]? TryRead(ulong number, BlockKind kind, string part)
    {
        byte[] data = new byte[BlockKind.Size];
        try
        {
            if (number > long.MaxValue / BlockKind.Size || RandomAccess.Read(_file, data, (long)number * BlockKind.Size) < BlockKind.Size)
            {
                Damage.Add($"{part}: metadata block {number} lies beyond the end of the device");
                return null;
            }

            kind.Check(data, number);
            BlockRead?.Invoke();
            return data;
        }
        catch (DmException e)
        {
            Damage.Add($"{part}: {e.Message}");
        }
        catch (IOException)
        {
            Damage.Add($"{part}: metadata block {number} ({kind.Name}) cannot be read");
        }

        return null;
    }

    /// <summary>Visits all entries of a btree that can be read, in order.</summary>
    /// <param name="root">Its root.</param>
    /// <param name="valueSize">Bytes of a value.</param>
    /// <param name="part">What of the metadata it is, for sentences.</param>
    /// <param name="visit">Called with each entry.</param>
    /// <param name="enter">Called before a node is read; false leaves it out. Null: all are read.</param>
    /// <param name="leave">Called when a node, and all below it, has been read as far as it can be.</param>
    public void Walk(ulong root, int valueSize, string part, Visitor visit, Func<ulong, bool>? enter = null, Action<ulong>? leave = null) =>
        new Walker(this, valueSize, part, visit, enter, leave).Visit(root, 0, 0, ulong.MaxValue);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>A walk. That the keys of each node lie within the range of its parent's entry keeps it finite in a damaged tree.</summary>
    private sealed class Walker(MetadataReader reader, int valueSize, string part, Visitor visit, Func<ulong, bool>? enter, Action<ulong>? leave)
    {
        public void Visit(ulong number, int level, ulong low, ulong high)
        {
            if (enter?.Invoke(number) == false)
            {
                return;
            }

            string here = low == 0 && high == ulong.MaxValue ? part : $"{part}, {low} to {(high == ulong.MaxValue ? "the end" : $"{high}")}";
            if (level == MostLevels)
            {
                reader.Damage.Add($"{here}: the btree is deeper than {MostLevels} levels");
            }
            else if (reader.TryRead(number, BlockKind.Node, here) is { } data)
            {
                Visit(number, data, level, low, high, here);
            }

            leave?.Invoke(number);
        }

        private void Visit(ulong number, byte[] data, int level, ulong low, ulong high, string here)
        {
            BTreeNode node = new(data);
            try
            {
                node.Check(number, valueSize);
            }
            catch (DmException e)
            {
                reader.Damage.Add($"{here}: {e.Message}");
                return;
            }

            for (int i = 0; i < node.Count; i++)
            {
                ulong last = node.IsLeaf ? node.Key(i) : i + 1 < node.Count ? node.Key(i + 1) - 1 : high;
                if (node.Key(i) < low || node.Key(i) > high || last > high || last < node.Key(i) || (i > 0 && node.Key(i) <= node.Key(i - 1)))
                {
                    reader.Damage.Add($"{here}: metadata block {number} (btree node) has keys that are out of order");
                    return;
                }

                if (node.IsLeaf)
                {
                    visit(node.Key(i), node.Value(i));
                }
                else
                {
                    Visit(node.Child(i), level + 1, node.Key(i), last);
                }
            }
        }
    }
}
