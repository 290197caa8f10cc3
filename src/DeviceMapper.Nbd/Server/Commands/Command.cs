using DeviceMapper.Io;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server.Commands;

/// <summary>
/// A request of a client, from its arrival until its reply is sent; or a piece of a large one. Pooled by its connection.
/// </summary>
internal abstract unsafe class Command(Transmission connection) : IBioCompletion
{
    /// <summary>Link of the pool or of the queue of replies.</summary>
    public Command? Next;

    /// <summary>The connection that it came from.</summary>
    protected Transmission Connection { get; } = connection;

    /// <summary>What the client recognises the reply by.</summary>
    public ulong Cookie { get; private set; }

    /// <summary>What it has to say, from here...</summary>
    public byte* Reply { get; private set; }

    /// <summary>... so many bytes; 0 where a piece has nothing to say.</summary>
    public int ReplyLength { get; set; }

    /// <summary>The other pieces, where it is one.</summary>
    public Pieces? Pieces { get; set; }

    /// <summary>The memory that <see cref="Reply"/> is in.</summary>
    public NativeBuffer? ReplyBuffer { get; private set; }

    /// <summary>The memory that the data of a write is in.</summary>
    public NativeBuffer? DataBuffer { get; private set; }

    /// <summary>Starts it, with room for its reply.</summary>
    public void Begin(ulong cookie, NativeBuffer replyBuffer, byte* reply)
    {
        Cookie = cookie;
        Reply = reply;
        ReplyLength = 0;
        ReplyBuffer = replyBuffer;
        replyBuffer.Begin();
    }

    /// <summary>Keeps the memory that data has been received in.</summary>
    public void Keep(NativeBuffer data)
    {
        DataBuffer = data;
        data.Begin();
    }

    /// <summary>Its reply is sent: gives up the memory. Called as <see cref="NativeBuffer.End"/> is.</summary>
    public void End(bool elsewhere)
    {
        ReplyBuffer!.End(elsewhere);
        ReplyBuffer = null;
        DataBuffer?.End(elsewhere);
        DataBuffer = null;
        Pieces = null;
    }

    /// <inheritdoc/>
    public abstract void BioEnded(Bio bio);

    /// <summary>Submits its bio, on a thread that may wait.</summary>
    public virtual void Submit() => throw new InvalidOperationException("this command is not handed over");

    /// <summary>Goes back to its pool. On the connection's thread.</summary>
    public abstract void Recycle();

    /// <summary>All other pieces of its request are done: completes its reply, which is sent after theirs.</summary>
    public virtual void FinishPieces()
    {
    }

    /// <summary>Answers with a simple reply.</summary>
    protected void FinishSimply(NbdError error)
    {
        NbdReply.Simple(Reply, Cookie, error);
        ReplyLength = NbdTransmission.SimpleReplyLength;
        Connection.Replies.Post(this);
    }
}

/// <summary>The pieces of one large request. Counted by whoever sends the connection's replies.</summary>
/// <param name="count">How many there are.</param>
internal sealed class Pieces(int count)
{
    private int _left = count;
    private int _error;

    /// <summary>The first error of them all.</summary>
    public NbdError Error => (NbdError)Volatile.Read(ref _error);

    /// <summary>Notes an error, unless there is one.</summary>
    public void Fail(NbdError error) => Interlocked.CompareExchange(ref _error, (int)error, 0);

    /// <summary>One is done.</summary>
    /// <returns>Whether it is the last one.</returns>
    public bool IsLast() => --_left == 0;
}
