using System.Runtime.InteropServices;
using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Backends;

/// <summary>When a file's I/O is done by an io_uring, and what happens where there is none.</summary>
public sealed partial class RingIoTests : IDisposable
{
    private const string RingThread = "udm-ring";

    private readonly TestFolder _folder = new();
    private readonly DeviceRegistry _registry = new();

    public void Dispose()
    {
        _registry.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("&direct=on")]
    [InlineData("&direct=on&aio=io_uring")]
    [InlineData("&aio=io_uring")]
    public void A_thread_that_has_plugged_need_not_wait(string options)
    {
        const int Count = 1000; // more than fit in a ring
        using OpenedWord opened = Open(options);
        List<TestBio> writes = Submit(opened.Device, BioOperation.Write, Count);
        Assert.All(writes, w => Assert.Equal(BioStatus.Ok, w.Wait()));
        HashSet<string?> threads = [];
        List<TestBio> reads = Submit(opened.Device, BioOperation.Read, Count, threads);
        for (int i = 0; i < Count; i++)
        {
            Assert.Equal(BioStatus.Ok, reads[i].Wait());
            Assert.Equal(Content(i), reads[i].Data);
        }

        Assert.Equal([RingThread], threads);
    }

    [Fact]
    public void Very_many_files_cost_little_before_they_need_one()
    {
        const int Count = 200, MostBytes = 8 << 10;
        using OpenedWord first = Open("");
        List<OpenedWord> opened = new(Count);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Count; i++)
        {
            opened.Add(Open("", first));
        }

        long bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / Count;
        opened.ForEach(word => word.Dispose());
        Assert.True(bytes < MostBytes, $"{bytes} bytes each");
    }

    [Fact]
    public void A_bio_that_is_alone_is_done_at_once_and_so_is_what_is_cached()
    {
        using OpenedWord direct = Open("&direct=on");
        HashSet<string?> threads = [];
        Assert.Equal(BioStatus.Ok, Submit(direct.Device, BioOperation.Write, 1, threads)[0].Wait());
        Assert.DoesNotContain(RingThread, threads);
        direct.Dispose();
        using OpenedWord cached = Open("");
        Submit(cached.Device, BioOperation.Write, 64, threads).ForEach(b => Assert.Equal(BioStatus.Ok, b.Wait()));
        Submit(cached.Device, BioOperation.Read, 64, threads).ForEach(b => Assert.Equal(BioStatus.Ok, b.Wait()));
        Assert.DoesNotContain(RingThread, threads);
    }

    [Fact]
    public void Each_bio_has_its_own_error()
    {
        using OpenedWord opened = Open("&direct=on");
        _ = opened.Device.Size;
        using (FileStream file = new(_folder["disk"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.SetLength(1 << 20); // 256 of the blocks
        }

        Plug.Start();
        List<TestBio> reads = [];
        for (int i = 0; i < 300; i++)
        {
            reads.Add(TestBio.Submit(opened.Device, BioOperation.Read, (ulong)i * 8, i % 2 == 0 ? 8u : 16u));
        }

        Plug.Finish();
        for (int i = 0; i < 300; i++)
        {
            int end = i + (i % 2 == 0 ? 1 : 2); // block
            Assert.Equal(end <= 256 ? BioStatus.Ok : BioStatus.IoError, reads[i].Wait());
        }
    }

    [Fact]
    public void Without_io_uring_everything_works_by_threads_and_who_asks_for_it_by_name_is_told() => WithoutIoUring(() =>
    {
        using (OpenedWord opened = Open("&direct=on"))
        {
            HashSet<string?> threads = [];
            Submit(opened.Device, BioOperation.Write, 300, threads).ForEach(b => Assert.Equal(BioStatus.Ok, b.Wait()));
            List<TestBio> reads = Submit(opened.Device, BioOperation.Read, 300, threads);
            for (int i = 0; i < reads.Count; i++)
            {
                Assert.Equal(BioStatus.Ok, reads[i].Wait());
                Assert.Equal(Content(i), reads[i].Data);
            }

            Assert.DoesNotContain(RingThread, threads);
            Plug.Start();
            TestBio read = TestBio.Submit(opened.Device, BioOperation.Read, 0, 8, flags: BioFlags.NoWait);
            Plug.Finish();
            Assert.Equal(BioStatus.Again, read.Wait()); // for who has threads that may wait
            Assert.Equal(BioStatus.Ok, TestBio.Flush(opened.Device));
        }

        DmException refusal = Assert.Throws<DmException>(() => Open("&aio=io_uring"));
        Assert.Equal(Errno.EOPNOTSUPP, refusal.Errno);
        Assert.Contains("no io_uring", refusal.Message);
    });

    [Fact]
    public void A_closed_file_is_open_no_more()
    {
        using (OpenedWord opened = Open("&direct=on"))
        {
            Submit(opened.Device, BioOperation.Write, 32).ForEach(b => Assert.Equal(BioStatus.Ok, b.Wait()));
        }

        // Only a file that nobody else has open can be leased for writing.
        using FileStream file = new(_folder["disk"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        int descriptor = (int)file.SafeFileHandle.DangerousGetHandle();
        Wait.Until(() => SetLease(descriptor, SetLeaseCommand, 1) == 0, "the file to be closed");
        _ = SetLease(descriptor, SetLeaseCommand, 2);
    }

    [Theory]
    [InlineData("aio=native")]
    [InlineData("aio=")]
    public void An_unknown_engine_is_refused(string option)
    {
        DmException refusal = Assert.Throws<DmException>(() => Open($"&{option}"));
        Assert.Equal(Errno.EINVAL, refusal.Errno);
        Assert.Contains("neither 'io_uring' nor 'threads'", refusal.Message);
    }

    private OpenedWord Open(string options, OpenedWord? claimedBy = null) =>
        new(_registry, $"file:{_folder["disk"]}?size=8M{options}", claimedBy: claimedBy);

    private static byte[] Content(int seed)
    {
        byte[] data = new byte[4096];
        new Random(seed).NextBytes(data);
        return data;
    }

    /// <summary>Bios of a block each, side by side, sent together.</summary>
    /// <param name="device">Where to.</param>
    /// <param name="operation">What.</param>
    /// <param name="count">How many.</param>
    /// <param name="threads">The names of the threads that ended them; the test waits for them all before it looks.</param>
    private static List<TestBio> Submit(BlockDevice device, BioOperation operation, int count, HashSet<string?>? threads = null)
    {
        List<TestBio> bios = [];
        Plug.Start();
        for (int i = 0; i < count; i++)
        {
            byte[] data = operation == BioOperation.Write ? Content(i) : [];
            bios.Add(TestBio.Submit(device, operation, (ulong)i * 8, 8, data, whenEnded: _ => Note(threads)));
        }

        Plug.Finish();
        return bios;
    }

    private static void Note(HashSet<string?>? threads)
    {
        if (threads is not null)
        {
            lock (threads)
            {
                threads.Add(Thread.CurrentThread.Name);
            }
        }
    }

    /// <summary>Does something on a thread whose system calls io_uring_setup fail with EPERM, as those of the threads that it starts.</summary>
    private static unsafe void WithoutIoUring(Action test) => Wait.For(
        Threads.Start(() =>
        {
            ulong* filter = stackalloc ulong[]
            {
                0x0000000000000020, // load the number of the call
                0x000001a900010015, // is it 425, io_uring_setup?
                0x7fff000000000006, // no: allow
                0x0005000100000006, // yes: EPERM
            };
            FilterProgram program = new() { Length = 4, Filter = filter };
            Assert.Equal(0, Control(NoNewPrivileges, 1, 0, 0, 0));
            Assert.Equal(0, Control(SetSeccomp, FilterMode, (nuint)(&program), 0, 0));
            test();
        }),
        "a test without io_uring");

    private const int NoNewPrivileges = 38, SetSeccomp = 22; // PR_*
    private const int SetLeaseCommand = 1024; // F_SETLEASE
    private const nuint FilterMode = 2;

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Control(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int SetLease(int descriptor, int command, int type);

    /// <summary><c>struct sock_fprog</c>.</summary>
    private unsafe struct FilterProgram
    {
        public ushort Length;
        public ulong* Filter;
    }
}
