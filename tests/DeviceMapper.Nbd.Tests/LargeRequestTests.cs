namespace DeviceMapper.Nbd.Tests;

/// <summary>Large requests of one connection, which several threads copy.</summary>
public sealed class LargeRequestTests
{
    private const int Timeout = 120_000;

    [Theory(Timeout = Timeout)]
    [InlineData("mem:64M")]
    [InlineData("file:FOLDER/image?size=64M")]
    public void Several_threads_copy_for_one_client_and_the_data_is_right(string device)
    {
        using ServedRegistry served = new();
        served.Registry.Create("m", $"0 131072 watch {device.Replace("FOLDER", served.Folder, StringComparison.Ordinal)} 0");
        served.Shell("m", """
            import random
            h.connect_uri(uri)
            random.seed(1)
            data = [random.randbytes(1 << 20) for i in range(32)]
            for i in range(32): h.aio_pwrite(nbd.Buffer.from_bytearray(bytearray(data[i])), i << 20)
            while h.aio_in_flight() > 0: h.poll(-1)
            """);
        Assert.True(served.Submitters.Count > 1, $"{served.Submitters.Count} threads for writes");

        served.Submitters.Clear();
        string said = served.Shell("m", """
            import random
            random.seed(1)
            h.connect_uri(uri)
            bufs = [nbd.Buffer(1 << 20) for i in range(32)]
            for i in range(32): h.aio_pread(bufs[i], i << 20)
            while h.aio_in_flight() > 0: h.poll(-1)
            print(all(bytes(b.to_bytearray()) == random.randbytes(1 << 20) for b in bufs))
            """);
        Assert.Equal("True", said.Trim());
        Assert.True(served.Submitters.Count > 1, $"{served.Submitters.Count} threads for reads");
    }

    [Fact(Timeout = Timeout)]
    public void Each_request_that_another_thread_copies_has_its_own_error()
    {
        using ServedRegistry served = new();
        served.Registry.Create("m", "0 6144 linear mem:8M 0\n6144 8 error\n6152 10232 linear mem:8M 6152");
        string said = served.Shell("m", """
            h.connect_uri(uri)
            done = []
            def reply(kind, i, error):
                done.append((kind, i, error.value))
                return 1
            for kind in ("write", "read"):
                bufs = [nbd.Buffer(1 << 20) for i in range(16)]
                for i in range(16):
                    f = lambda error, kind=kind, i=i: reply(kind, i, error)
                    if kind == "read": h.aio_pread(bufs[i], i % 8 << 20, completion=f)
                    else: h.aio_pwrite(nbd.Buffer.from_bytearray(bytearray(1 << 20)), i % 8 << 20, completion=f)
                while h.aio_in_flight() > 0: h.poll(-1)
            print(len(done), sorted(d for d in done if d[2] != 0))
            """);
        Assert.Equal("32 [('read', 3, 5), ('read', 11, 5), ('write', 3, 5), ('write', 11, 5)]", said.Trim());
    }
}
