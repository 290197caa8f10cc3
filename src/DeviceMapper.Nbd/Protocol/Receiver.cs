using System.Diagnostics;
using DeviceMapper.Nbd.Native;

namespace DeviceMapper.Nbd.Protocol;

/// <summary>Receives messages, waiting for them in the way that serves most (<see cref="ReceiveWaits"/>). Made and used by the one thread that receives.</summary>
internal sealed unsafe class Receiver
{
    private static readonly long _ticksInMicrosecond = Stopwatch.Frequency / 1_000_000;

    private readonly NbdStream _stream;
    private readonly ReceiveWaits _waits = new();

    /// <summary>For a connection.</summary>
    public Receiver(NbdStream stream)
    {
        _stream = stream;
        ShortPause.Allow();
    }

    /// <summary>Waits for bytes.</summary>
    /// <param name="buffer">Where to.</param>
    /// <param name="length">At most so many bytes; not zero.</param>
    /// <returns>How many bytes; 0 when the other side has closed or the connection is broken.</returns>
    public int Receive(byte* buffer, int length)
    {
        ReceiveWait way = _waits.Now;
        int looks = way switch { ReceiveWait.Yield => 2, ReceiveWait.Poll => 20, _ => 0 }; // each takes about half a microsecond
        while (looks-- > 0)
        {
            int received = _stream.Receive(buffer, length, wait: false);
            if (received != NbdStream.Nothing)
            {
                return received;
            }

            Thread.Yield();
        }

        if (way == ReceiveWait.Pause)
        {
            ShortPause.Take();
        }

        return _stream.Receive(buffer, length, wait: true);
    }

    /// <summary>What was received is handled: so many messages.</summary>
    public void Handled(long messages) => _waits.Handled(messages, Stopwatch.GetTimestamp() / _ticksInMicrosecond);
}
