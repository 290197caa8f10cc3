using System.Buffers.Binary;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

/// <summary>Persistent snapshots whose devices fail at any operation, and COW devices with damaged headers and exceptions.</summary>
public sealed class SnapshotFaultTests
{
    private const string Line = "0 1024 snapshot o c P 8";

    [Theory]
    [InlineData("c", false)]
    [InlineData("c", true)]
    [InlineData("o", false)]
    [InlineData("o", true)]
    public void Wherever_a_device_fails_the_snapshot_is_as_it_was_or_invalid(string device, bool lasting)
    {
        int operations = 0;
        while (Run(device, lasting, ++operations))
        {
        }

        Assert.True(operations > 20, $"{operations} operations of {device}");
    }

    [Theory, InlineData(1), InlineData(2)]
    public void Damaged_headers_and_exceptions_are_an_error_and_never_a_crash(int seed)
    {
        byte[] cow = Make();
        Random random = new(seed);
        int rounds = Environment.GetEnvironmentVariable("UDM_TEST_LONG") == "1" ? 5000 : 200;
        for (int round = 0; round < rounds; round++)
        {
            using TestRegistry registry = new();
            registry.Add("o", 1024);
            Span<byte> data = registry.Add("c", 2048).Data;
            cow.CopyTo(data);
            for (int n = random.Next(1, 6); n > 0; n--)
            {
                int at = (random.Next(2) * 4096) + (random.Next(random.Next(2) == 0 ? 16 : 512) & ~3); // the header, the exceptions
                ulong value = random.Next(4) switch { 0 => 0, 1 => ulong.MaxValue, 2 => 1ul << random.Next(64), _ => (ulong)random.Next(300) };
                if (at < 16 && random.Next(2) == 0)
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(data[at..], (uint)value);
                }
                else
                {
                    BinaryPrimitives.WriteUInt64LittleEndian(data[at..], value);
                }
            }

            try
            {
                MappedDevice snapshot = registry.Create("m", Line);
                TestBio.Read(snapshot, 0, new byte[1024 * Sector.Size]);
                TestBio.Write(snapshot, 100, new byte[20 * Sector.Size]);
                TestBio.Flush(snapshot);
                Assert.NotEmpty(ThinPoolTargetTests.Status(snapshot));
            }
            catch (DmException e)
            {
                Assert.DoesNotContain(e.Errno.Text(), e.Message, StringComparison.OrdinalIgnoreCase);
            }
        }
    }

    private static byte[] Make()
    {
        using TestRegistry registry = new();
        registry.Add("o", 1024);
        registry.Add("c", 2048);
        MappedDevice snapshot = registry.Create("m", Line);
        for (ulong chunk = 0; chunk < 20; chunk++)
        {
            Assert.Equal(BioStatus.Ok, TestBio.Write(snapshot, chunk * 40, new byte[8 * Sector.Size]));
        }

        return [.. registry["c"].Data];
    }

    /// <summary>Writes to the origin; the n-th operation of a device fails.</summary>
    /// <returns>Whether there was an n-th.</returns>
    private static bool Run(string device, bool lasting, int n)
    {
        string where = $"{device}, {(lasting ? "from" : "only")} operation {n}";
        byte[] before = SnapshotTargetTests.Noise(n, 1024);
        byte[] originData, cow;
        bool failed = false, valid;
        using (TestRegistry registry = new())
        {
            before.CopyTo(registry.Add("o", 1024).Data, 0);
            registry.Add("c", 2048);
            int seen = 0;
            registry[device].Answer = bio =>
            {
                int number = Interlocked.Increment(ref seen);
                bool fails = number == n || (lasting && number > n);
                failed |= fails;
                return fails ? BioStatus.IoError : BioStatus.Ok;
            };
            MappedDevice origin = registry.Create("origin", "0 1024 snapshot-origin o");
            MappedDevice snapshot;
            try
            {
                snapshot = registry.Create("m", Line);
            }
            catch (DmException)
            {
                return failed;
            }

            for (ulong i = 0; i < 24; i++)
            {
                BioStatus status = TestBio.Write(origin, i * 41, SnapshotTargetTests.Noise((int)i, i % 3 == 0 ? 16 : 3));
                Assert.True(status == BioStatus.Ok || device == "o", $"{where}: the origin is written whatever becomes of the snapshot");
                if (i % 6 == 5)
                {
                    TestBio.Flush(origin);
                    Look(snapshot, before, where);
                }
            }

            string text = ThinPoolTargetTests.Status(snapshot);
            valid = text != "Invalid";
            Assert.True(valid || failed, text);
            originData = registry["o"].Data;
            cow = registry["c"].Data;
        }

        using (TestRegistry registry = new())
        {
            originData.CopyTo(registry.Add("o", 1024).Data, 0);
            cow.CopyTo(registry.Add("c", 2048).Data, 0);
            MappedDevice snapshot = registry.Create("m", Line);
            bool validNow = ThinPoolTargetTests.Status(snapshot) != "Invalid";
            Assert.True(validNow || !valid, $"{where}: it was valid, and is not after a new start");
            if (valid)
            {
                Assert.Equal(before, TestBio.Read(snapshot, 0, 1024));
            }
        }

        return failed;
    }

    /// <summary>What can be read of it is what was.</summary>
    private static void Look(MappedDevice snapshot, byte[] before, string where)
    {
        byte[] data = new byte[8 * Sector.Size];
        for (ulong at = 0; at < 1024; at += 8)
        {
            if (TestBio.Read(snapshot, at, data) == BioStatus.Ok)
            {
                Assert.True(data.AsSpan().SequenceEqual(before.AsSpan((int)at * Sector.Size, data.Length)), $"{where}: sector {at} of the snapshot changed");
            }
        }
    }
}
