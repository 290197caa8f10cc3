using DeviceMapper.Io;

namespace DeviceMapper.Nbd.Tests;

/// <summary>What libnbd's shell sees of single requests.</summary>
public sealed class ShellTests
{
    private const int Timeout = 60_000;

    [Fact(Timeout = Timeout)]
    public void A_read_over_a_bad_sector_gives_the_good_part_and_the_place()
    {
        using ServedRegistry served = new();
        served.Disk("d").Data[..8192].Fill(7);
        served.Create("d");
        served.Disk("d").Bad = [11];
        string said = served.Shell("d", """
            h.connect_uri(uri)
            chunks = []
            def f(buf, offset, status, err):
                chunks.append((offset, len(buf), status))
                return 0
            try:
                h.pread_structured(8192, 0, f)
            except nbd.Error as e:
                print(e.errnum)
            print(chunks)
            """);
        Assert.Equal("5\n[(0, 5632, 1), (5632, 0, 3)]", said.Trim());
    }

    [Fact(Timeout = Timeout)]
    public void Zeroes_are_sent_as_holes_unless_one_chunk_is_wanted()
    {
        using ServedRegistry served = new();
        served.Create("d");
        string said = served.Shell("d", """
            h.connect_uri(uri)
            def f(buf, offset, status, err):
                print(offset, len(buf), status)
                return 0
            h.pread_structured(1 << 18, 0, f)
            h.pread_structured(1 << 18, 0, f, nbd.CMD_FLAG_DF)
            """);
        Assert.Equal("0 131072 2\n131072 131072 2\n0 262144 1", said.Trim());
    }

    [Theory(Timeout = Timeout)]
    [InlineData("h.pread(512, 8 << 20)", 22)]
    [InlineData("h.pwrite(b'x' * 512, 8 << 20)", 28)]
    [InlineData("h.pwrite(b'x' * 1024, (8 << 20) - 512)", 28)]
    [InlineData("h.pread(100, 0)", 22)]
    [InlineData("h.pwrite(b'x' * 100, 0)", 22)]
    [InlineData("h.pread(512, 1)", 22)]
    [InlineData("h.pread(33 << 20, 0)", 22)]
    [InlineData("h.pwrite(b'x' * (33 << 20), 0)", 22)]
    [InlineData("h.zero(512, 8 << 20)", 28)]
    public void Bad_requests_are_refused_and_the_connection_goes_on(string request, int error)
    {
        using ServedRegistry served = new();
        served.Create("d");
        string said = served.Shell("d", $"""
            h.set_strict_mode(0)
            h.connect_uri(uri)
            try:
                {request}
            except nbd.Error as e:
                print(e.errnum)
            h.pwrite(b'y' * 512, 512)
            print(h.pread(512, 512) == b'y' * 512)
            """);
        Assert.Equal($"{error}\nTrue", said.Trim());
    }

    [Theory(Timeout = Timeout)]
    [InlineData("True")]
    [InlineData("False")]
    public void Requests_of_all_sizes_come_back_as_they_were_written(string structured)
    {
        using ServedRegistry served = new();
        served.Create("d", 131072);
        string said = served.Shell("d", $$"""
            import os
            h.set_request_structured_replies({{structured}})
            h.connect_uri(uri)
            at = 512
            for size in (512, 4096, 65536, 66048, 131072, 131584, 1 << 20, 5 << 20, 32 << 20):
                for flags in (0, nbd.CMD_FLAG_FUA):
                    data = os.urandom(size)
                    h.pwrite(data, at, flags)
                    if h.pread(size, at) != data: print('differs', size, flags)
            h.flush()
            print('done')
            """);
        Assert.Equal("done", said.Trim());
        Assert.Equal(1, served.Disk("d").Flushes);
        Assert.Equal(9, served.Disk("d").DurableWrites);
    }

    [Fact(Timeout = Timeout)]
    public void Block_status_tells_holes_and_targets()
    {
        using ServedRegistry served = new();
        served.Disk("d").Hole = (100, 200);
        served.Registry.Create("d", "0 1000 disk d\n1000 24 error\n1024 1024 zero");
        string said = served.Shell("d", """
            h.add_meta_context('base:allocation')
            h.add_meta_context('dm:targets')
            h.connect_uri(uri)
            def f(context, offset, entries, err):
                print(context, offset, entries)
                return 0
            h.block_status(1 << 20, 0, f)
            h.block_status(1 << 20, 0, f, nbd.CMD_FLAG_REQ_ONE)
            """);
        Assert.Equal(
            """
            base:allocation 0 [51200, 0, 51200, 3, 421888, 0, 524288, 3]
            dm:targets 0 [512000, 0, 12288, 1, 524288, 2]
            base:allocation 0 [51200, 0]
            dm:targets 0 [512000, 0]
            """, said.Trim());
    }

    [Fact(Timeout = Timeout)]
    public void Zeroes_are_written_where_the_device_has_no_such_operation()
    {
        using ServedRegistry served = new();
        served.Disk("d").ZeroesSupported = false;
        served.Disk("d").DiscardsSupported = false;
        served.Disk("d").Data[..(8 << 20)].Fill(1);
        served.Create("d");
        string said = served.Shell("d", """
            h.connect_uri(uri)
            print(h.can_trim(), h.can_zero())
            h.zero(3 << 20, 512)
            try:
                h.zero(512, 0, nbd.CMD_FLAG_FAST_ZERO)
            except nbd.Error as e:
                print(e.errnum)
            h.cache(5 << 20, 0)
            """);
        Assert.Equal("False True\n95", said.Trim());
        Assert.Equal(1, served.Disk("d").Data[511]);
        Assert.Equal(-1, served.Disk("d").Data.Slice(512, 3 << 20).IndexOfAnyExcept((byte)0));
        Assert.Equal(1, served.Disk("d").Data[512 + (3 << 20)]);
        Assert.Equal(5, served.Disk("d").Reads);
    }

    [Fact(Timeout = Timeout)]
    public void Durable_zeroes_and_trims_are_flushed()
    {
        using ServedRegistry served = new();
        served.Create("d");
        served.Shell("d", """
            h.connect_uri(uri)
            h.zero(4096, 0, nbd.CMD_FLAG_FUA | nbd.CMD_FLAG_NO_HOLE)
            h.trim(4096, 0, nbd.CMD_FLAG_FUA)
            h.trim(4096, 0)
            """);
        Assert.Equal(2, served.Disk("d").Flushes);
        Assert.Equal(1, served.Disk("d").KeepingZeroes);
    }

    [Fact(Timeout = Timeout)]
    public void Writes_to_a_read_only_device_are_refused()
    {
        using ServedRegistry served = new();
        served.Create("d", mode: Mapping.DeviceMode.ReadOnly);
        string said = served.Shell("d", """
            h.set_strict_mode(0)
            h.connect_uri(uri)
            print(h.is_read_only())
            for f in (lambda: h.pwrite(b'x' * 512, 0), lambda: h.zero(512, 0), lambda: h.trim(512, 0)):
                try:
                    f()
                except nbd.Error as e:
                    print(e.errnum)
            """);
        Assert.Equal("True\n1\n1\n1", said.Trim());
    }

    [Fact(Timeout = Timeout)]
    public void Errors_are_those_of_the_device()
    {
        using ServedRegistry served = new();
        served.Create("d");
        foreach ((BioStatus status, int error) in new[] { (BioStatus.IoError, 5), (BioStatus.NoSpace, 28), (BioStatus.NoMemory, 12), (BioStatus.Transport, 5) })
        {
            served.Disk("d").Fails = status;
            string said = served.Shell("d", """
                h.connect_uri(uri)
                for f in (lambda: h.pwrite(b'x' * 512, 0), lambda: h.pread(512, 0), lambda: h.flush(), lambda: h.pwrite(b'x' * (1 << 20), 0)):
                    try:
                        f()
                    except nbd.Error as e:
                        print(e.errnum)
                """);
            Assert.Equal($"{error}\n{error}\n{error}\n{error}", said.Trim());
        }
    }

    [Fact(Timeout = Timeout)]
    public void Replies_come_in_the_order_in_which_requests_end()
    {
        using ServedRegistry served = new();
        served.Create("d", 131072);
        served.Disk("d").Asynchronous = true;
        string said = served.Shell("d", """
            import os
            h.connect_uri(uri)
            data = [os.urandom(4096 * (1 + i % 70)) for i in range(200)]
            at = [300000 * i // 4096 * 4096 for i in range(200)]
            done = [h.aio_pwrite(nbd.Buffer.from_bytearray(bytearray(d)), a) for d, a in zip(data, at)]
            while any(not h.aio_command_completed(c) if c is not None else False for c in done[:1]): h.poll(-1)
            while h.aio_in_flight() > 0: h.poll(-1)
            bufs = [nbd.Buffer(len(d)) for d in data]
            for b, a in zip(bufs, at): h.aio_pread(b, a)
            while h.aio_in_flight() > 0: h.poll(-1)
            print(all(bytes(b.to_bytearray()) == d for b, d in zip(bufs, data)))
            """);
        Assert.Equal("True", said.Trim());
    }
}
