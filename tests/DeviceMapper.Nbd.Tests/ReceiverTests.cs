using System.Diagnostics;
using DeviceMapper.Nbd.Native;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Tests;

public sealed unsafe class ReceiverTests
{
    [Fact]
    public void Every_byte_comes_once_and_the_end_is_seen_while_ways_to_wait_are_tried()
    {
        using Numbers stream = new();
        Receiver receiver = new(stream);
        byte expected = 0, value;
        for (Stopwatch limit = Stopwatch.StartNew(); stream.Looks < 1000 && limit.Elapsed < TimeSpan.FromMinutes(1);)
        {
            Assert.Equal(1, receiver.Receive(&value, 1));
            Assert.Equal(expected++, value);
            receiver.Handled(1);
        }

        Assert.True(stream.Looks >= 1000); // other ways than sleep have been tried
        stream.HasEnded = true;
        Assert.Equal(0, receiver.Receive(&value, 1));
        Assert.Equal(1, stream.Ends); // it is not asked again
    }

    /// <summary>0, 1, 2 ..., of which two looks of three find nothing.</summary>
    private sealed class Numbers : NbdStream
    {
        private byte _next;

        public int Looks { get; private set; }

        public int Ends { get; private set; }

        public bool HasEnded { get; set; }

        public override bool HasHungUp => HasEnded;

        public override int Receive(byte* buffer, int length, bool wait)
        {
            if (HasEnded)
            {
                Ends++;
                return 0;
            }

            if (!wait && Looks++ % 3 != 0)
            {
                return Nothing;
            }

            *buffer = _next++;
            return 1;
        }

        public override SendResult Send(IoVector* vectors, ref int first, int count, bool wait) => SendResult.Failed;

        public override bool WaitToSend() => false;

        public override void Shutdown()
        {
        }

        public override void Dispose()
        {
        }
    }
}
