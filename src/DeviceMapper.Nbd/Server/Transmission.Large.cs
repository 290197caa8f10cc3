using DeviceMapper.Io;
using DeviceMapper.Nbd.Protocol;
using DeviceMapper.Nbd.Server.Commands;

namespace DeviceMapper.Nbd.Server;

/// <content>
/// Large reads and writes. One is done here piece by piece; where that was nothing but copying, as it is from and to memory and the page
/// cache, the next ones are given whole to other threads, so that several processors copy for one client.
/// </content>
internal sealed unsafe partial class Transmission
{
    private const int LargestCopied = 1 << 20; // bytes of a request that another thread copies
    private const int MaxCopied = 4; // requests under way; beyond, this thread copies as well, and looks again at what that costs

    // More threads would write no faster: file systems lock a file for each write to the page cache.
    private readonly Submitters _readers = new(2);
    private readonly Submitters _writers = new(1);
    private bool _readsCopy; // the last large read that was done here had ended when it was submitted
    private bool _writesCopy;

    private void ReadLarge(in NbdRequest request)
    {
        int length = (int)request.Length;
        bool hasMore = _underWay > 0 || _received.Used - _start >= NbdTransmission.RequestLength;
        if (_readsCopy && hasMore && CanCopyElsewhere(length))
        {
            Reads.Rent().Start(request, request.Offset, length, null, _readers);
            return;
        }

        _readsCopy = true;
        Pieces pieces = new((length + PieceLength - 1) / PieceLength);
        for (int done = 0; done < length; done += PieceLength)
        {
            int ended = Replies.OwnCount;
            Reads.Rent().Start(request, request.Offset + (uint)done, Math.Min(PieceLength, length - done), pieces);
            _readsCopy &= Replies.OwnCount > ended;
            if (Replies.OwnBytes >= LargestGroup)
            {
                Flush();
            }
        }
    }

    /// <summary>Receives the data of a large write piece by piece, and writes each as soon as it is there. A durable write is one piece.</summary>
    /// <returns>False where the connection ends within the data.</returns>
    private bool WriteLarge(in NbdRequest request)
    {
        int left = (int)request.Length;
        if (_writesCopy && CanCopyElsewhere(left))
        {
            byte* data = ReceiveData(left);
            if (data is null)
            {
                return false;
            }

            Writes.Rent().Start(request, request.Offset, data, left, _data, null, _writers);
            return true;
        }

        int largest = (request.Flags & NbdCommandFlags.Fua) != 0 ? left : PieceLength;
        Pieces pieces = new((left + largest - 1) / largest);
        _writesCopy = largest == PieceLength;
        for (ulong offset = request.Offset; left > 0;)
        {
            int length = Math.Min(left, largest);
            byte* data = ReceiveData(length);
            if (data is null)
            {
                return false; // the pieces under way are never the last one, and have no reply
            }

            int ended = Replies.OwnCount;
            Writes.Rent().Start(request, offset, data, length, _data, pieces);
            _writesCopy &= Replies.OwnCount > ended;
            offset += (uint)length;
            left -= length;
        }

        return true;
    }

    private bool CanCopyElsewhere(int length)
    {
        if (length > LargestCopied)
        {
            return false;
        }

        if (_underWay >= MaxCopied)
        {
            Flush();
        }

        return _underWay < MaxCopied;
    }

    /// <summary>The next bytes that the client sends, some of which may have been received with its request.</summary>
    /// <returns>Their place in <see cref="_data"/>; null where the connection ends before.</returns>
    private byte* ReceiveData(int length)
    {
        byte* data = ReserveData(length);
        int here = Math.Min(length, _received.Used - _start);
        Buffer.MemoryCopy(_received.Address + _start, data, length, here);
        _start += here;
        if (here < length)
        {
            Flush();
            if (!_stream.ReceiveExactly(data + here, length - here))
            {
                return null;
            }
        }

        return data;
    }

    private byte* ReserveData(int length)
    {
        if (!_data.IsInUse)
        {
            _data.Used = 0;
        }

        if (_data.Used + length > _data.Length || (_data.Used == 0 && _data.Length > BufferPool.Usual && _data.Length > length))
        {
            Retire(ref _data, length);
        }

        byte* data = _data.Address + _data.Used;
        _data.Used += (length + PageSize - 1) & -PageSize;
        return data;
    }
}
