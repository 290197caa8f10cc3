using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Mapping;

/// <summary>Values that are opened once, counted, and closed with the last reference.</summary>
public sealed class SharedOpensTests
{
    private readonly SharedOpens<string, object> _opens = new();

    [Fact]
    public void A_value_is_opened_once_and_closed_with_its_last_reference()
    {
        object value = new();
        Assert.Equal((value, true), _opens.Get("a", () => value, default));
        Assert.Equal((value, false), _opens.Get("a", () => throw new InvalidOperationException(), default));
        _opens.Put("a", _ => throw new InvalidOperationException());
        int closed = 0;
        _opens.Put("a", _ => closed++);
        Assert.Equal((1, 0), (closed, _opens.Count));
    }

    [Fact]
    public void Who_comes_while_it_is_being_closed_waits_and_opens_anew()
    {
        using ManualResetEventSlim closing = new(), go = new();
        _opens.Get("a", () => "old", default);
        Task put = Threads.Start(() => _opens.Put("a", _ =>
        {
            closing.Set();
            go.Wait();
        }));
        closing.Wait();
        Task<(object Value, bool Opened)> get = Threads.Start(() => _opens.Get("a", () => "new", default));
        Assert.Empty(_opens.Snapshot());
        go.Set();
        Wait.For(put, "the put");
        Assert.Equal(("new", true), Wait.For(get, "the get"));
    }

    [Fact]
    public void A_close_that_throws_has_closed()
    {
        _opens.Get("a", () => "old", default);
        Assert.Throws<IOException>(() => _opens.Put("a", _ => throw new IOException()));
        Assert.Equal(0, _opens.Count);
        Assert.True(_opens.Get("a", () => "new", default).Opened);
    }

    [Fact]
    public void Who_waits_may_give_up()
    {
        using ManualResetEventSlim go = new(), began = new();
        Task<(object, bool)> first = Threads.Start(() => _opens.Get("a", () => { began.Set(); go.Wait(); return "a"; }, default));
        began.Wait();
        Assert.Equal(Errno.EINTR, Assert.Throws<DmException>(() => _opens.Get("a", () => "b", new CancellationToken(true))).Errno);
        go.Set();
        Wait.For(first, "the open");
    }

    /// <summary>Who found a value being opened, and looks again when that is over, must not take its later close for the end of the open.</summary>
    [Fact]
    public void Many_threads_open_use_and_close_the_same_few_values()
    {
        int[] open = new int[3];
        Threads.Run(4, thread =>
        {
            Random random = new(thread);
            for (int i = 0; i < 3000; i++)
            {
                int key = random.Next(open.Length);
                bool fail = random.Next(8) == 0, cancel = random.Next(8) == 0;
                try
                {
                    _opens.Get($"{key}", () => Open(key, fail, cancel), default);
                }
                catch (DmException e)
                {
                    Assert.True(e.Errno is Errno.EIO or Errno.EINTR);
                    continue;
                }

                Assert.Equal(1, Volatile.Read(ref open[key]));
                if (random.Next(2) == 0)
                {
                    Thread.Yield();
                }

                _opens.Put($"{key}", _ => Assert.Equal(0, Interlocked.Decrement(ref open[key])));
            }
        });
        Assert.Equal(0, _opens.Count);

        object Open(int key, bool fail, bool cancel)
        {
            Thread.Yield();
            if (fail || cancel)
            {
                throw new DmException(cancel ? Errno.EINTR : Errno.EIO, "it does not open");
            }

            Assert.Equal(1, Interlocked.Increment(ref open[key]));
            return new object();
        }
    }
}
