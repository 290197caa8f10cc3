using DeviceMapper.Metadata;

namespace DeviceMapper.Volumes.Thin;

/// <summary>How often each of many blocks was met. Takes memory only where there are some.</summary>
internal sealed class Tally
{
    private readonly Dictionary<ulong, uint[]> _pages = []; // each for the blocks of a bitmap

    /// <summary>How often a block was met.</summary>
    public uint this[ulong block] => _pages.TryGetValue(block / Bitmap.Entries, out uint[]? page) ? page[block % Bitmap.Entries] : 0;

    /// <summary>A block was met once more.</summary>
    /// <returns>How often by now.</returns>
    public uint Add(ulong block)
    {
        if (!_pages.TryGetValue(block / Bitmap.Entries, out uint[]? page))
        {
            _pages.Add(block / Bitmap.Entries, page = new uint[Bitmap.Entries]);
        }

        return ++page[block % Bitmap.Entries];
    }
}
