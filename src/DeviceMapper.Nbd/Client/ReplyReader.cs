using System.Buffers.Binary;
using System.Runtime.InteropServices;
using DeviceMapper.Io;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Client;

/// <summary>Reads a server's replies, simple and structured, and puts data where its bio wants it.</summary>
/// <param name="stream">The connection.</param>
/// <param name="export">What the server has told.</param>
/// <param name="find">Finds the request of a cookie.</param>
internal sealed unsafe class ReplyReader(NbdStream stream, RemoteExport export, Func<ulong, RemoteRequest?> find) : IDisposable
{
    private const int Capacity = 256 << 10;
    private const int MaxBody = 64 << 10; // of chunks without data: errors with their sentence, extents

    private readonly byte* _buffer = (byte*)NativeMemory.AlignedAlloc(Capacity, 4096);
    private readonly Receiver _receiver = new(stream);
    private int _start;
    private int _replies; // since the last receive
    private int _end;

    /// <summary>Waits for more.</summary>
    /// <returns>False where the connection has ended.</returns>
    public bool Receive()
    {
        _receiver.Handled(_replies);
        _replies = 0;
        int left = _end - _start;
        Buffer.MemoryCopy(_buffer + _start, _buffer, left, left);
        _start = 0;
        _end = left;
        int received = _receiver.Receive(_buffer + _end, Capacity - _end);
        _end += Math.Max(received, 0);
        return received > 0;
    }

    /// <summary>Reads a reply or a chunk of one.</summary>
    /// <param name="done">The request that is done with it; null where more chunks follow.</param>
    /// <returns>False where not all of it has been received.</returns>
    /// <exception cref="NbdProtocolException">It is none.</exception>
    public bool TryRead(out RemoteRequest? done)
    {
        done = null;
        ReadOnlySpan<byte> there = new(_buffer + _start, _end - _start);
        if (there.Length < NbdTransmission.SimpleReplyLength)
        {
            return false;
        }

        return BinaryPrimitives.ReadUInt32BigEndian(there) switch
        {
            NbdTransmission.SimpleReplyMagic => TryReadSimple(there, out done),
            NbdTransmission.StructuredReplyMagic when export.StructuredReplies => TryReadChunk(there, out done),
            _ => throw new NbdProtocolException("a reply does not start with a magic number"),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => NativeMemory.AlignedFree(_buffer);

    private bool TryReadSimple(ReadOnlySpan<byte> there, out RemoteRequest? done)
    {
        NbdError error = (NbdError)BinaryPrimitives.ReadUInt32BigEndian(there[4..]);
        RemoteRequest request = Find(BinaryPrimitives.ReadUInt64BigEndian(there[8..]));
        if (request.Command == NbdCommand.BlockStatus && error == NbdError.None
            || (request.Command == NbdCommand.Read && error == NbdError.None && export.StructuredReplies))
        {
            throw new NbdProtocolException("a reply is simple that must be structured");
        }

        _start += NbdTransmission.SimpleReplyLength;
        request.Error = error;
        if (request.Command == NbdCommand.Read && error == NbdError.None)
        {
            Take(request.Data);
        }

        _replies++;
        done = request;
        return true;
    }

    private bool TryReadChunk(ReadOnlySpan<byte> there, out RemoteRequest? done)
    {
        done = null;
        if (there.Length < NbdTransmission.ChunkHeaderLength)
        {
            return false;
        }

        NbdChunkFlags flags = (NbdChunkFlags)BinaryPrimitives.ReadUInt16BigEndian(there[4..]);
        NbdChunk type = (NbdChunk)BinaryPrimitives.ReadUInt16BigEndian(there[6..]);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(there[16..]);
        int head = type == NbdChunk.OffsetData ? sizeof(ulong) : (int)Math.Min(length, MaxBody);
        if (length < head || (type != NbdChunk.OffsetData && length > MaxBody))
        {
            throw new NbdProtocolException($"a chunk of type {type} has {length} bytes");
        }

        if (there.Length < NbdTransmission.ChunkHeaderLength + head)
        {
            return false;
        }

        RemoteRequest request = Find(BinaryPrimitives.ReadUInt64BigEndian(there[8..]));
        ReadOnlySpan<byte> body = there.Slice(NbdTransmission.ChunkHeaderLength, head);
        _start += NbdTransmission.ChunkHeaderLength + head;
        Handle(request, type, body, length - (uint)head);
        if ((flags & NbdChunkFlags.Done) != 0)
        {
            _replies++;
            done = request;
        }

        return true;
    }

    private void Handle(RemoteRequest request, NbdChunk type, ReadOnlySpan<byte> body, uint dataLength)
    {
        switch (type)
        {
            case NbdChunk.None:
                break;
            case NbdChunk.OffsetData:
                Take(Part(request, BinaryPrimitives.ReadUInt64BigEndian(body), dataLength));
                break;
            case NbdChunk.OffsetHole when body.Length == sizeof(ulong) + sizeof(uint):
                Part(request, BinaryPrimitives.ReadUInt64BigEndian(body), BinaryPrimitives.ReadUInt32BigEndian(body[8..])).Clear();
                break;
            case NbdChunk.BlockStatus when request.Question is { } question && body.Length >= 12:
                if (BinaryPrimitives.ReadUInt32BigEndian(body) == export.Allocation)
                {
                    question.Known = BinaryPrimitives.ReadUInt32BigEndian(body[4..]);
                    question.Hole = (BinaryPrimitives.ReadUInt32BigEndian(body[8..]) & 2) != 0; // NBD_STATE_ZERO
                }

                break;
            case >= NbdChunk.ErrorBit when body.Length >= sizeof(uint):
                NbdError error = (NbdError)BinaryPrimitives.ReadUInt32BigEndian(body);
                request.Error = request.Error != NbdError.None ? request.Error : error != NbdError.None ? error : NbdError.EIO;
                break;
            default:
                throw new NbdProtocolException($"a chunk of type {(int)type} does not belong to a reply to {request.Command}");
        }
    }

    private static BioBuffer Part(RemoteRequest request, ulong offset, uint length)
    {
        bool fits = request.Command == NbdCommand.Read && offset >= request.Offset
            && offset - request.Offset <= request.Length && length <= request.Length - (offset - request.Offset);
        return fits
            ? request.Data.Slice((int)(offset - request.Offset), (int)length)
            : throw new NbdProtocolException("a chunk lies outside of what was asked for");
    }

    /// <summary>Moves data to its place: what has been received, and the rest directly.</summary>
    private void Take(BioBuffer to)
    {
        foreach (BufferSegment segment in to)
        {
            int here = Math.Min(segment.Length, _end - _start);
            Buffer.MemoryCopy(_buffer + _start, (void*)segment.Address, segment.Length, here);
            _start += here;
            if (here == segment.Length)
            {
                continue;
            }

            Plug.Flush(); // what is done must not wait for the rest
            if (!stream.ReceiveExactly((byte*)segment.Address + here, segment.Length - here))
            {
                throw new NbdProtocolException("the connection ended within a reply");
            }
        }
    }

    private RemoteRequest Find(ulong cookie) => find(cookie) ?? throw new NbdProtocolException("a reply to no request");
}
