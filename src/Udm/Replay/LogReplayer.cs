using DeviceMapper.Targets.LogWrites;
using Microsoft.Win32.SafeHandles;

namespace Udm.Replay;

/// <summary>Does to a file or block device what a log says was done.</summary>
internal sealed class LogReplayer : IDisposable
{
    private const int Piece = 1 << 20; // bytes that are copied at once

    private readonly WriteLog _log;
    private readonly SafeFileHandle _device;
    private readonly byte[] _buffer = new byte[Piece];

    /// <summary>Replays to a file or block device as it is now.</summary>
    public LogReplayer(WriteLog log, string path)
    {
        _log = log;
        _device = Files.Open(path, FileAccess.Write);
    }

    /// <summary>How many entries were replayed.</summary>
    public int Position { get; private set; }

    /// <summary>Replays on, until so many entries were.</summary>
    public void AdvanceTo(int count)
    {
        for (; Position < count; Position++)
        {
            Replay(_log.Entries[Position]);
        }
    }

    /// <summary>Replays one entry. Discarded blocks become zeroes.</summary>
    public void Replay(in LoggedEntry logged)
    {
        long at = (long)logged.Entry.Block * _log.BlockSize;
        long left = (long)logged.Entry.Blocks * _log.BlockSize;
        long data = logged.Data;
        while (left > 0)
        {
            Span<byte> piece = _buffer.AsSpan(0, (int)Math.Min(left, Piece));
            if ((logged.Entry.Flags & LogFlags.Discard) != 0)
            {
                piece.Clear();
            }
            else
            {
                _log.Read(piece, data);
            }

            RandomAccess.Write(_device, piece, at);
            at += piece.Length;
            data += piece.Length;
            left -= piece.Length;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _device.Dispose();
}
