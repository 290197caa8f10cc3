using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Tests.Backends;
using DeviceMapper.Tests.Infrastructure;
using DeviceMapper.Volumes.Thin;

namespace DeviceMapper.Tests.Targets;

/// <summary>
/// A fixed work on a pool, in which one operation of its metadata or data device fails, or all from one on: for each operation there is. What is read is
/// what was written, the pool is in the kernel's mode, and what a flush made durable is there afterwards. With UDM_TEST_LONG thin_check looks at each.
/// </summary>
public sealed class ThinFaultTests : IDisposable
{
    private const string Small = "0 1536 thin-pool m d 128 0";
    private const string Large = "0 3072 thin-pool m d 128 0";
    private const string NoZeroing = "0 3072 thin-pool m d 128 0 1 skip_block_zeroing";

    private static readonly bool _thorough = Environment.GetEnvironmentVariable("UDM_TEST_LONG") == "1";

    private readonly string _folder = Directory.CreateTempSubdirectory("udm-thin").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("m", false)]
    [InlineData("m", true)]
    [InlineData("d", false)]
    [InlineData("d", true)]
    public void Wherever_a_device_fails_nothing_that_was_flushed_is_lost(string device, bool lasting)
    {
        int operations = 0;
        while (Run(device, lasting, ++operations))
        {
        }

        Assert.True(operations > 60, $"{operations} operations of {device}");
    }

    /// <summary>Does the work; the n-th operation of a device fails.</summary>
    /// <returns>Whether there was an n-th.</returns>
    private bool Run(string device, bool lasting, int n)
    {
        byte[] metadata, data;
        Work work;
        string where = $"{device}, {(lasting ? "from" : "only")} operation {n}";
        bool failed = false;
        using (TestRegistry registry = new())
        {
            registry.Add("m", 2048).Size = new SectorCount(1024);
            registry.Add("d", 3072);
            int seen = 0;
            BioOperation? operation = null;
            registry[device].Answer = bio =>
            {
                int number = Interlocked.Increment(ref seen);
                if (number != n && !(lasting && number > n))
                {
                    return BioStatus.Ok;
                }

                operation ??= bio.Operation;
                return BioStatus.IoError;
            };
            work = new Work(registry, where);
            work.DoAll();
            failed = operation is not null;
            if (work.Pool is { } pool && operation is not null)
            {
                AssertMode(ThinPoolTargetTests.Status(pool), device, lasting, operation.Value, work.DiscardFailed, where);
            }

            metadata = registry["m"].Data;
            data = registry["d"].Data;
        }

        Reopen(metadata, data, work, where, n);
        return failed;
    }

    /// <summary>
    /// What the kernel's pool is after it: read-only and to be checked where a change could not be committed, failed where not even the last commit can be read,
    /// or a discard was on its way.
    /// </summary>
    private static void AssertMode(string status, string device, bool lasting, BioOperation operation, bool discardFailed, string where)
    {
        bool ro = status.Contains(" ro ", StringComparison.Ordinal) && status.Contains("needs_check", StringComparison.Ordinal);
        bool rw = status.Contains(" rw ", StringComparison.Ordinal);
        bool failed = status is "Fail" or "Error";
        bool expected = discardFailed ? failed : (device, lasting, operation) switch
        {
            ("m", false, BioOperation.Read) => rw || ro, // a look-up fails alone, a change is given up
            ("m", false, _) => ro,
            ("m", true, _) => failed || ro,
            ("d", _, BioOperation.Flush) => ro || rw, // rw: there was nothing to commit with it
            ("d", false, _) => rw,
            _ => rw || ro,
        };
        Assert.True(expected, $"{where} ({operation}): {status}");
    }

    private void Reopen(byte[] metadata, byte[] data, Work work, string where, int n)
    {
        string file = Path.Combine(_folder, "metadata");
        File.WriteAllBytes(file, metadata);
        if (metadata.AsSpan(0, 4096).IndexOfAnyExcept((byte)0) >= 0)
        {
            using (ThinPoolMetadata check = ThinPoolMetadata.Open(file))
            {
                check.Check();
                string? damage = check.Damage.FirstOrDefault(d => !d.EndsWith("their room is lost", StringComparison.Ordinal)); // as the kernel's, of blocks that could not be filled
                Assert.True(damage is null, $"{where}: {damage}");
            }

            if (_thorough || n % 16 == 0)
            {
                ChildProcess.RunThinTool("thin_check", file);
            }
        }

        using TestRegistry registry = new();
        metadata.CopyTo(registry.Add("m", 2048).Data, 0);
        data.CopyTo(registry.Add("d", 3072).Data, 0);
        MappedDevice pool = registry.Create("pool", Large);
        string status = ThinPoolTargetTests.Status(pool);
        Assert.True(status.Contains(" rw ") || (status.Contains(" ro ") && status.Contains("needs_check")), $"{where}: {status}");
        foreach ((int id, ThinModel model) in work.Certain)
        {
            model.Check(TestBio.Read(registry.Create($"t{id}", $"0 {ThinModel.Sectors} thin /dev/mapper/pool {id}"), 0, ThinModel.Sectors), $"{id} ({where}, reopened)");
        }
    }

    /// <summary>The work, and what must be there after it.</summary>
    private sealed class Work(TestRegistry registry, string where)
    {
        private readonly Dictionary<int, ThinModel> _volumes = []; // that were made, and their models

        public MappedDevice? Pool { get; private set; }

        /// <summary>Whether a discard failed: it is passed down, so the pool fails with it.</summary>
        public bool DiscardFailed { get; private set; }

        /// <summary>Volumes that must be there.</summary>
        public Dictionary<int, ThinModel> Certain { get; } = [];

        public void DoAll()
        {
            if (!Try(() => Pool = registry.Create("pool", Small)))
            {
                return;
            }

            Create(0);
            Write(0, 0, 128);
            Write(0, 130, 10);
            Write(0, 300, 300);
            Flush(0);
            Write(0, 20, 30);
            Write(0, 700, 5, BioFlags.Fua);
            Snapshot(1, 0);
            Write(0, 3, 7); // shared: a part of a block, a whole one
            Write(0, 128, 128);
            Write(1, 400, 8);
            Read(0);
            Flush(1);
            Discard(0, 512, 256);
            Write(0, 640, 4);
            Flush(0);
            Message("reserve_metadata_snap");
            Write(0, 900, 20);
            Flush(0);
            Message("release_metadata_snap");
            registry["m"].Size = new SectorCount(2048);
            Try(() => TestRegistry.Swap(Pool!, Large)); // both devices have grown
            Write(1, 0, 128);
            registry.Time.Advance(TimeSpan.FromSeconds(1)); // commits by itself
            Read(1);
            Delete(1);
            Write(0, 256, 40);
            Flush(0);
            Try(() => TestRegistry.Swap(Pool!, NoZeroing));
            Create(2);
            Write(2, 1000, 24);
            Snapshot(3, 2);
            Write(2, 1000, 4, BioFlags.Fua);
            Discard(3, 896, 128);
            Flush(3);
            Read(2);
            Read(3);
        }

        private static bool Try(Action action)
        {
            try
            {
                action();
                return true;
            }
            catch (DmException)
            {
                return false;
            }
        }

        /// <summary>Whether what a message did was committed: its answer does not say so, in the kernel neither.</summary>
        private bool IsCommitted => ThinPoolTargetTests.Status(Pool!).Contains(" rw ", StringComparison.Ordinal);

        private bool Message(string message) => Try(() => Pool!.Message(default, message)) && IsCommitted;

        private void Create(int id)
        {
            if (Message($"create_thin {id}"))
            {
                Load(id, new ThinModel());
            }
        }

        private void Load(int id, ThinModel model)
        {
            Certain.Add(id, model);
            if (Try(() => model.Device = registry.Create($"t{id}", $"0 {ThinModel.Sectors} thin /dev/mapper/pool {id}")))
            {
                _volumes.Add(id, model);
            }
        }

        private void Snapshot(int id, int origin)
        {
            if (_volumes.TryGetValue(origin, out ThinModel? model) && Try(() => model.Device!.Suspend()))
            {
                bool made = Message($"create_snap {id} {origin}");
                Try(() => model.Device!.Resume());
                if (made)
                {
                    Load(id, model.Snapshot());
                }
            }
        }

        private void Delete(int id)
        {
            if (_volumes.Remove(id, out ThinModel? model))
            {
                Certain.Remove(id);
                Try(() => registry.Registry.Remove(model.Device!));
                Message($"delete {id}");
            }
        }

        private void Write(int id, int at, int count, BioFlags flags = BioFlags.None)
        {
            if (_volumes.TryGetValue(id, out ThinModel? model))
            {
                if (TestBio.Write(model.Device!, (ulong)at, model.Write(at, count), flags) != BioStatus.Ok)
                {
                    model.Failed(at, count);
                }
                else if ((flags & BioFlags.Fua) != 0)
                {
                    model.Flushed(at, count);
                }
            }
        }

        private void Discard(int id, int at, int count)
        {
            if (_volumes.TryGetValue(id, out ThinModel? model))
            {
                model.Discard(at, count);
                DiscardFailed |= TestBio.Do(model.Device!, BioOperation.Discard, (ulong)at, (ulong)count) != BioStatus.Ok;
            }
        }

        private void Flush(int id)
        {
            if (_volumes.TryGetValue(id, out ThinModel? model) && TestBio.Flush(model.Device!) == BioStatus.Ok)
            {
                model.Flushed();
            }
        }

        private void Read(int id)
        {
            byte[] data = new byte[128 * Sector.Size];
            for (int at = 0; at < ThinModel.Sectors && _volumes.TryGetValue(id, out ThinModel? model); at += 128)
            {
                if (TestBio.Read(model.Device!, (ulong)at, data) == BioStatus.Ok)
                {
                    model.Check(data, $"{id} ({where})", at);
                }
            }
        }
    }
}
