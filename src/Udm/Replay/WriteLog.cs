using DeviceMapper.Targets.LogWrites;
using Microsoft.Win32.SafeHandles;
using Udm.Verbs;

namespace Udm.Replay;

/// <summary>An entry of a log, and where in it its data lies.</summary>
/// <param name="Entry">The entry.</param>
/// <param name="Data">The offset of its data, in bytes.</param>
/// <param name="Mark">The text of a mark; null in others.</param>
internal readonly record struct LoggedEntry(LogEntry Entry, long Data, string? Mark)
{
    /// <summary>Whether what stands before it in the log, or itself, is durable when it is.</summary>
    public bool IsFlushPoint => (Entry.Flags & (LogFlags.Flush | LogFlags.Fua)) != 0;
}

/// <summary>A log that the target log-writes wrote, the kernel's or ours.</summary>
internal sealed class WriteLog : IDisposable
{
    private const string EndMark = "dm-log-writes-end"; // the target's, when it ends

    private readonly SafeFileHandle _file;
    private readonly List<LoggedEntry> _entries = [];

    /// <summary>Opens a log and reads its entries, without their data.</summary>
    /// <exception cref="VerbException">It is no log, or ends within an entry.</exception>
    public WriteLog(string path)
    {
        _file = Files.Open(path, FileAccess.Read);
        try
        {
            ReadEntries(path);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Its entries; users count them from 1.</summary>
    public IReadOnlyList<LoggedEntry> Entries => _entries;

    /// <summary>Bytes of its blocks.</summary>
    public int BlockSize { get; private set; }

    /// <summary>Bytes up to the end of the last block that an entry changes: what a device has at least.</summary>
    public long Extent => _entries.Count == 0 ? 0 : _entries.Max(e => (long)(e.Entry.Block + e.Entry.Blocks) * BlockSize);

    /// <summary>The last mark among the first entries, but for that of the log's own end; empty without one.</summary>
    public string MarkBefore(int count) => _entries.Take(count).LastOrDefault(e => e.Mark is not (null or EndMark)).Mark ?? "";

    /// <summary>Reads data.</summary>
    public void Read(Span<byte> data, long offset)
    {
        if (RandomAccess.Read(_file, data, offset) != data.Length)
        {
            throw new VerbException("the log ends within the data of an entry");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void ReadEntries(string path)
    {
        byte[] first = new byte[LogSuperBlock.Size];
        if (RandomAccess.Read(_file, first, 0) != first.Length || LogSuperBlock.Read(first) is not { } super)
        {
            throw new VerbException($"'{path}' does not begin as a log of log-writes");
        }

        BlockSize = (int)super.BlockSize;
        byte[] block = new byte[BlockSize];
        long offset = BlockSize;
        for (ulong i = 0; i < super.Entries; i++)
        {
            if (RandomAccess.Read(_file, block, offset) != block.Length)
            {
                throw new VerbException($"'{path}' ends before entry {i + 1} of {super.Entries}");
            }

            LogEntry entry = LogEntry.Read(block);
            offset += BlockSize;
            _entries.Add(new LoggedEntry(entry, offset, (entry.Flags & LogFlags.Mark) != 0 ? entry.MarkText(block) : null));
            offset += entry.HasData ? (long)entry.Blocks * BlockSize : 0;
        }
    }
}
