using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

/// <summary>integrity when several threads read and write the same sectors at once.</summary>
public sealed class IntegrityLoadTests
{
    private const int Sectors = 256; // that all threads use
    private const int Threads = 4;

    /// <summary>Whoever reads meets data and tags of the same write, and of all blocks of his read that a write covers, either all or none.</summary>
    [Theory]
    [InlineData("4 D 1 internal_hash:crc32c", 0)]
    [InlineData("4 D 1 internal_hash:crc32c", 97)]
    [InlineData("32 D 2 internal_hash:sha256 fix_padding", 0)]
    [InlineData("4 B 3 internal_hash:crc32c sectors_per_bit:16 bitmap_flush_interval:1000", 53)]
    [InlineData("4 J 2 internal_hash:crc32c commit_time:1000", 97)]
    public void Reads_and_writes_of_the_same_sectors_never_mix(string arguments, int flushEvery)
    {
        using TestRegistry registry = new();
        FakeDevice lower = registry.Add("a", 4096);
        using ShufflingThread later = new(7);
        MappedDevice device = registry.Create("m", $"0 1000 integrity a 0 {arguments}");
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, Filled(0, 1000)));
        lower.Recording = false;
        lower.Later = later;
        ConcurrentBag<string> wrong = [];
        Infrastructure.Threads.Run(Threads, thread =>
        {
            Random random = new(thread);
            for (int step = 1; step <= 400; step++)
            {
                int count = random.Next(1, 24);
                ulong sector = (ulong)random.Next(0, Sectors - count);
                if (flushEvery > 0 && step % flushEvery == 0)
                {
                    Assert.Equal(BioStatus.Ok, TestBio.Flush(device));
                    registry.Time.Advance(TimeSpan.FromSeconds(1));
                }

                if (step % 2 == 0)
                {
                    Assert.Equal(BioStatus.Ok, TestBio.Write(device, sector, Filled((step * Threads) + thread, count), step % 31 == 0 ? BioFlags.Fua : BioFlags.None));
                    continue;
                }

                byte[] read = new byte[count * Sector.Size];
                BioStatus status = TestBio.Read(device, sector, read);
                if (status != BioStatus.Ok || Enumerable.Range(0, count).Any(i => !IsOfOneWrite(read.AsSpan(i * Sector.Size, Sector.Size))))
                {
                    wrong.Add($"{sector}+{count}: {status}");
                }
            }
        });
        Assert.Empty(wrong);
        lower.Later = null;
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 0, 1000));
        Assert.StartsWith("0 ", Assert.Single(device.TableTexts(arguments: false)).Text);
        registry.Registry.Remove(device);
        device = registry.Create("m", $"0 1000 integrity a 0 {arguments}");
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 0, 1000));
    }

    [Fact]
    public void A_read_of_sectors_that_are_being_written_waits_for_the_write()
    {
        using TestRegistry registry = new();
        FakeDevice lower = registry.Add("a", 4096);
        MappedDevice device = registry.Create("m", "0 1000 integrity a 0 4 D 1 internal_hash:crc32c");
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, Filled(1, 1000)));
        lower.Forget();
        lower.Holding = true;
        TestBio write = TestBio.Submit(device, BioOperation.Write, 8, 8, Filled(2, 8));
        TestBio read = TestBio.Submit(device, BioOperation.Read, 0, 12);
        TestBio other = TestBio.Submit(device, BioOperation.Read, 100, 8);
        lower.WaitForHeld(2);
        Assert.Equal([BioOperation.Write, BioOperation.Read], lower.Held.Select(b => b.Operation));
        lower.EndAll();
        Assert.Equal(BioStatus.Ok, write.Wait());
        Assert.Equal(BioStatus.Ok, read.Wait());
        Assert.Equal(BioStatus.Ok, other.Wait());
        Assert.Equal(Filled(2, 4), read.Data[(8 * Sector.Size)..]);
    }

    [Fact]
    public void Data_changed_in_memory_under_a_read_is_read_again_and_not_taken_for_damage()
    {
        using TestRegistry registry = new();
        FakeDevice lower = registry.Add("a", 4096);
        MappedDevice device = registry.Create("m", "0 1000 integrity a 0 4 D 1 internal_hash:crc32c");
        Assert.Equal(BioStatus.Ok, TestBio.Write(device, 0, Filled(1, 1000)));
        bool once = true;
        lower.Answer = bio =>
        {
            if (bio.Operation == BioOperation.Read && once)
            {
                once = false;
                lower.Sectors(bio.Sector.Value, 1)[3] ^= 1; // is restored before it is read again
            }
            else if (bio.Operation == BioOperation.Read)
            {
                lower.Sectors(bio.Sector.Value, 1)[3] ^= 1;
            }

            return BioStatus.Ok;
        };
        Assert.Equal(Filled(1, 1), TestBio.Read(device, 8, 1));
        Assert.StartsWith("0 ", Assert.Single(device.TableTexts(arguments: false)).Text);
    }

    /// <summary>More blocks of tags than the cache holds: they go to the device and come back.</summary>
    [Fact]
    public void Tags_that_do_not_fit_in_memory_come_back_from_the_device()
    {
        using TestRegistry registry = new();
        FakeDevice lower = registry.Add("a", 72000);
        lower.Recording = false;
        const string Table = "0 40000 integrity a 0 255 D 2 internal_hash:crc32c interleave_sectors:1024"; // 16 blocks a block of tags
        MappedDevice device = registry.Create("m", Table);
        byte[] chunk = Filled(0, 1000);
        for (ulong sector = 0; sector < 40000; sector += 1000)
        {
            Assert.Equal(BioStatus.Ok, TestBio.Write(device, sector, chunk));
        }

        using ShufflingThread later = new(3);
        lower.Later = later;
        Infrastructure.Threads.Run(Threads, thread =>
        {
            Random random = new(thread);
            for (int step = 1; step <= 2000; step++)
            {
                ulong sector = ((ulong)random.Next(0, 10000) * Threads) + (ulong)thread;
                Assert.Equal(BioStatus.Ok, TestBio.Write(device, sector, Filled((int)sector, 1)));
                Assert.Equal(Filled((int)sector, 1), TestBio.Read(device, sector, 1));
            }
        });
        lower.Later = null;
        for (ulong sector = 0; sector < 40000; sector += 1000)
        {
            Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, sector, 1000));
        }

        registry.Registry.Remove(device);
        device = registry.Create("m", Table);
        for (ulong sector = 0; sector < 40000; sector += 1000)
        {
            Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, sector, 1000));
        }
    }

    /// <summary>Bytes of a write that tell which it was, in each word of each sector.</summary>
    private static byte[] Filled(int number, int sectors)
    {
        byte[] bytes = new byte[sectors * Sector.Size];
        MemoryMarshal.Cast<byte, int>(bytes.AsSpan()).Fill(number);
        return bytes;
    }

    private static bool IsOfOneWrite(ReadOnlySpan<byte> sector)
    {
        ReadOnlySpan<int> words = MemoryMarshal.Cast<byte, int>(sector);
        return !words.ContainsAnyExcept(words[0]);
    }
}
