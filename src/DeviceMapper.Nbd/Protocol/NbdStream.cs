using DeviceMapper.Nbd.Native;

namespace DeviceMapper.Nbd.Protocol;

/// <summary>How a send went.</summary>
internal enum SendResult
{
    /// <summary>All is sent.</summary>
    Done,

    /// <summary>The rest has to wait until the other side reads.</summary>
    WouldBlock,

    /// <summary>The connection is gone.</summary>
    Failed,
}

/// <summary>A connection's bytes, plain or under TLS. One thread receives, and one at a time sends.</summary>
internal abstract unsafe class NbdStream : IDisposable
{
    /// <summary>What <see cref="Receive"/> returns where nothing is there and it may not wait.</summary>
    public const int Nothing = -1;

    /// <summary>Receives what is there.</summary>
    /// <param name="buffer">Where to.</param>
    /// <param name="length">At most so many bytes; not zero.</param>
    /// <param name="wait">Waits for the first byte.</param>
    /// <returns>How many bytes; 0 when the other side has closed or the connection is broken; <see cref="Nothing"/>.</returns>
    public abstract int Receive(byte* buffer, int length, bool wait);

    /// <summary>Sends pieces of memory.</summary>
    /// <param name="vectors">The pieces; what is sent is taken off them.</param>
    /// <param name="first">The first piece that is not sent; advanced.</param>
    /// <param name="count">How many pieces there are.</param>
    /// <param name="wait">Waits for the other side to read.</param>
    public abstract SendResult Send(IoVector* vectors, ref int first, int count, bool wait);

    /// <summary>Waits until something can be sent.</summary>
    /// <returns>False where the connection is gone.</returns>
    public abstract bool WaitToSend();

    /// <summary>Ends both directions: who receives or sends returns. May be called by any thread, and again.</summary>
    public abstract void Shutdown();

    /// <summary>Whether the other side has closed.</summary>
    public abstract bool HasHungUp { get; }

    /// <summary>Closes it; nobody uses it any more.</summary>
    public abstract void Dispose();

    /// <summary>Receives exactly so many bytes.</summary>
    /// <returns>False where the connection ends before.</returns>
    public virtual bool ReceiveExactly(byte* buffer, int length)
    {
        while (length > 0)
        {
            int received = Receive(buffer, length, wait: true);
            if (received <= 0)
            {
                return false;
            }

            buffer += received;
            length -= received;
        }

        return true;
    }

    /// <summary>Receives exactly so many bytes.</summary>
    /// <exception cref="EndOfStreamException">The connection ends before.</exception>
    public void ReceiveExactly(Span<byte> bytes)
    {
        fixed (byte* buffer = bytes)
        {
            if (!ReceiveExactly(buffer, bytes.Length))
            {
                throw new EndOfStreamException("the other side has closed the connection");
            }
        }
    }

    /// <summary>Sends all of it.</summary>
    /// <exception cref="EndOfStreamException">The connection is gone.</exception>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* buffer = bytes)
        {
            IoVector vector = new() { Base = (nint)buffer, Length = bytes.Length };
            int first = 0;
            if (bytes.Length > 0 && Send(&vector, ref first, 1, wait: true) != SendResult.Done)
            {
                throw new EndOfStreamException("the other side has closed the connection");
            }
        }
    }
}
