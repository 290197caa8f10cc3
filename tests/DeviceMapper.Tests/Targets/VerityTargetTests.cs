using System.Security.Cryptography;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Targets.Verity;
using DeviceMapper.Tests.Infrastructure;
using DeviceMapper.Volumes.Verity;

namespace DeviceMapper.Tests.Targets;

/// <summary>verity: what is read is what was hashed, or nothing.</summary>
public sealed class VerityTargetTests
{
    private const ulong Blocks = 300;
    private static readonly byte[] _salt = [1, 2, 3, 4];

    [Theory]
    [InlineData(0u, "sha256", 4096u, 4096u)]
    [InlineData(1u, "sha256", 4096u, 4096u)]
    [InlineData(1u, "sha512", 512u, 512u)]
    [InlineData(0u, "sha1", 512u, 1024u)]
    [InlineData(1u, "sha3-256", 1024u, 4096u)]
    public void What_was_hashed_is_read(uint version, string algorithm, uint dataBlock, uint hashBlock)
    {
        using TestRegistry registry = new();
        string table = Format(registry, new() { HashType = version, Algorithm = algorithm, DataBlockSize = dataBlock, HashBlockSize = hashBlock });
        MappedDevice device = registry.Create("m", table, DeviceMode.ReadOnly);
        Assert.Equal(table, TestRegistry.TableOf(device));
        VerifiedIo io = new(device, 0, device.Size.Value, 1) { OnlyReads = true };
        for (int i = 0; i < 200; i++)
        {
            io.Step();
        }

        io.CheckAll();
        Assert.Equal("V", Status(device));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Reads_of_many_threads_share_what_is_known_of_the_tree(int seed)
    {
        using TestRegistry registry = new();
        using ShufflingThread later = new(seed);
        MappedDevice device = registry.Create("m", Format(registry, new()), DeviceMode.ReadOnly);
        foreach (FakeDevice lower in registry.Devices)
        {
            lower.Later = later;
        }

        Threads.Run(4, u =>
        {
            VerifiedIo io = new(device, 0, device.Size.Value, u) { OnlyReads = true };
            for (int i = 0; i < 100; i++)
            {
                io.Step();
            }
        });
        Assert.InRange(registry["h"].Seen.Count, 4, 64); // each block of the tree once, or a few times at the start
    }

    [Fact]
    public void A_bit_changed_anywhere_is_never_given_out()
    {
        Random random = new(1);
        for (int round = 0; round < 60; round++)
        {
            using TestRegistry registry = new();
            string table = Format(registry, new());
            byte[] before = [.. registry["a"].Data];
            byte[] changed = round % 2 == 0 ? registry["a"].Data : registry["h"].Data;
            changed[random.Next(round % 2 == 0 ? (int)Blocks * 4096 : 4 * 4096)] ^= (byte)(1 << random.Next(8));
            MappedDevice device = registry.Create("m", table, DeviceMode.ReadOnly);
            int refused = 0;
            byte[] read = new byte[4096];
            for (ulong block = 0; block < Blocks; block++)
            {
                BioStatus status = TestBio.Read(device, block * 8, read);
                Assert.True(status is BioStatus.IoError || read.AsSpan().SequenceEqual(before.AsSpan((int)block * 4096, 4096)));
                refused += status == BioStatus.IoError ? 1 : 0;
            }

            Assert.True(refused > 0, $"round {round}");
            Assert.Equal("C", Status(device));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(20)]
    [InlineData(31)]
    public void Every_byte_of_a_hash_is_compared(int place)
    {
        using TestRegistry registry = new();
        string table = Format(registry, new());
        byte[] tree = registry["h"].Data; // a block of hashes of blocks of hashes, then those of 128 blocks of data each
        byte[] HashOf(int block) => SHA256.HashData([.. _salt, .. tree.AsSpan(block * 4096, 4096)]);
        string oldRoot = Convert.ToHexStringLower(HashOf(0));
        Assert.Contains(oldRoot, table);

        tree[4096 + (5 * 32) + place] ^= 1; // of data block 5
        HashOf(1).CopyTo(tree, 0); // all that is above it is right
        tree[64 + place] ^= 1; // of the third block of hashes
        byte[] root = HashOf(0);
        MappedDevice device = registry.Create("m", table.Replace(oldRoot, Convert.ToHexStringLower(root), StringComparison.Ordinal), DeviceMode.ReadOnly);
        for (int block = 0; block < (int)Blocks; block++)
        {
            Assert.Equal(block is 5 or >= 256 ? BioStatus.IoError : BioStatus.Ok, TestBio.Do(device, BioOperation.Read, (ulong)block * 8, 8));
        }

        root[place] ^= 1;
        MappedDevice other = registry.Create("o", table.Replace(oldRoot, Convert.ToHexStringLower(root), StringComparison.Ordinal), DeviceMode.ReadOnly);
        Assert.Equal(BioStatus.IoError, TestBio.Do(other, BioOperation.Read, 0, 8));
    }

    [Fact]
    public void Ignored_corruption_is_given_out_and_told()
    {
        using TestRegistry registry = new();
        string table = Format(registry, new()) + " 1 ignore_corruption";
        registry["a"].Data[5000] ^= 1;
        MappedDevice device = registry.Create("m", table, DeviceMode.ReadOnly);
        Assert.Equal(registry["a"].Data[..(300 * 4096)], TestBio.Read(device, 0, Blocks * 8));
        Assert.Equal("C", Status(device));
    }

    [Fact]
    public void A_block_checked_once_is_not_checked_again()
    {
        using TestRegistry registry = new();
        string table = Format(registry, new()) + " 1 check_at_most_once";
        MappedDevice device = registry.Create("m", table, DeviceMode.ReadOnly);
        TestBio.Read(device, 0, 8);
        registry["a"].Data[10] ^= 1;
        registry["a"].Data[5000] ^= 1;
        Assert.Equal(BioStatus.Ok, TestBio.Do(device, BioOperation.Read, 0, 8));
        Assert.Equal(BioStatus.IoError, TestBio.Do(device, BioOperation.Read, 8, 8));
    }

    [Fact]
    public void A_block_known_to_be_zeroes_is_zeroes()
    {
        using TestRegistry registry = new();
        string table = Format(registry, new(), data => data.AsSpan(4096, 4096).Clear()) + " 1 ignore_zero_blocks";
        registry["a"].Data[5000] ^= 1;
        MappedDevice device = registry.Create("m", table, DeviceMode.ReadOnly);
        Assert.Equal(new byte[4096], TestBio.Read(device, 8, 8));
        Assert.Equal("V", Status(device));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(24)]
    public void Bad_blocks_of_data_and_tree_are_repaired(int roots)
    {
        using TestRegistry registry = new();
        string table = Format(registry, new());
        byte[] before = [.. registry["a"].Data];
        AddParity(registry, roots);
        Random random = new(roots);
        random.NextBytes(registry["a"].Data.AsSpan(4096 * 7, 4096));
        registry["a"].Data[4096 * 51] ^= 3;
        MappedDevice device = registry.Create("m", $"{table} 8 use_fec_from_device f fec_blocks 304 fec_start 0 fec_roots {roots}", DeviceMode.ReadOnly);
        Assert.Equal(before[..(300 * 4096)], TestBio.Read(device, 0, Blocks * 8));
        Assert.Equal("V", Status(device));

        random.NextBytes(registry["h"].Data.AsSpan(8192, 4096)); // of other codewords
        TestRegistry.Swap(device, $"{table} 8 use_fec_from_device f fec_blocks 304 fec_start 0 fec_roots {roots}", DeviceMode.ReadOnly);
        Assert.Equal(before[..(300 * 4096)], TestBio.Read(device, 0, Blocks * 8));
        Assert.Equal("C", Status(device)); // as in the kernel, where a bad hash is never forgotten
    }

    [Theory]
    [InlineData("a", 300 * 4096)]
    [InlineData("h", 4 * 4096)]
    [InlineData("f", 4 * 4096)]
    public void A_bit_changed_anywhere_is_repaired_where_there_is_parity(string changed, int bytes)
    {
        using TestRegistry registry = new();
        string table = Format(registry, new()) + " 8 use_fec_from_device f fec_blocks 304 fec_start 0 fec_roots 2";
        AddParity(registry, 2);
        byte[] before = registry["a"].Data[..(300 * 4096)];
        Random random = new(bytes);
        for (int round = 0; round < 20; round++)
        {
            int at = random.Next(bytes);
            byte bit = (byte)(1 << random.Next(8));
            registry[changed].Data[at] ^= bit;
            MappedDevice device = registry.Create("m", table, DeviceMode.ReadOnly);
            Assert.Equal(before, TestBio.Read(device, 0, Blocks * 8));
            registry.Registry.Remove(device);
            registry[changed].Data[at] ^= bit;
        }
    }

    [Fact]
    public void A_block_that_cannot_be_read_is_repaired()
    {
        using TestRegistry registry = new();
        string table = Format(registry, new());
        AddParity(registry, 2);
        registry["a"].Answer = b => b.Sector.Value <= 80 && b.EndSector.Value > 80 ? BioStatus.Medium : BioStatus.Ok;
        MappedDevice device = registry.Create("m", $"{table} 8 use_fec_from_device f fec_blocks 304 fec_start 0 fec_roots 2", DeviceMode.ReadOnly);
        Assert.Equal(registry["a"].Data[(64 * 512)..(128 * 512)], TestBio.Read(device, 64, 64));
        registry["a"].Answer = null;
    }

    [Fact]
    public void It_is_read_only_and_alone()
    {
        using TestRegistry registry = new();
        string table = Format(registry, new());
        MappedDevice device = registry.Registry.Create("m");
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => device.LoadTable(table)).Errno);
        device.LoadTable(table, DeviceMode.ReadOnly);
        device.Resume();
        Assert.NotEqual(BioStatus.Ok, TestBio.Do(device, BioOperation.Write, 0, 8));
        Assert.Equal(4096u, device.Limits.LogicalBlockSize);
    }

    [Fact]
    public void A_device_removed_while_hashes_are_read_ends_all_its_reads()
    {
        using TestRegistry registry = new();
        MappedDevice device = registry.Create("m", Format(registry, new()), DeviceMode.ReadOnly);
        registry["h"].Holding = true;
        TestBio[] bios = [.. Enumerable.Range(0, 8).Select(i => TestBio.Submit(device, BioOperation.Read, (ulong)i * 8, 8))];
        Task removal = Threads.Start(() => registry.Registry.Remove(device));
        while (!removal.IsCompleted)
        {
            Thread.Yield();
            registry["h"].EndAll();
        }

        Wait.For(removal, "the removal");
        Assert.All(bios, b => Assert.Equal(BioStatus.Ok, b.Status));
    }

    [Fact]
    public void A_device_that_is_too_small_for_the_tree_is_told_with_E2BIG()
    {
        using TestRegistry registry = new();
        string table = Format(registry, new()).Replace(" 300 0 ", " 300 1000 ", StringComparison.Ordinal);
        DmException refusal = Assert.Throws<DmException>(() => registry.Create("m", table, DeviceMode.ReadOnly));
        Assert.Equal(Errno.E2BIG, refusal.Errno);
    }

    [Fact]
    public void A_superblock_is_read_as_it_was_written_and_damage_is_told()
    {
        VeritySuperblock superblock = new() { Uuid = Guid.NewGuid(), DataBlocks = 77, Salt = _salt, HashType = 0, DataBlockSize = 512 };
        MemoryStream stream = new(new byte[1 << 16]);
        superblock.Write(stream, 4096);
        VeritySuperblock read = VeritySuperblock.Read(stream, 4096);
        Assert.Equal(superblock.Salt, read.Salt);
        Assert.Equal(superblock, read with { Salt = superblock.Salt });
        Random random = new(3);
        for (int i = 0; i < 2000; i++)
        {
            byte[] bytes = new byte[VeritySuperblock.Size];
            new MemoryStream(stream.ToArray(), 4096, bytes.Length).ReadExactly(bytes);
            for (int n = random.Next(1, 20); n > 0; n--)
            {
                bytes[random.Next(96)] = (byte)random.Next(256);
            }

            try
            {
                VeritySuperblock.Read(new MemoryStream(bytes));
            }
            catch (DmException e)
            {
                Assert.Equal(Errno.EINVAL, e.Errno);
            }
        }
    }

    private static string Status(MappedDevice device) => Assert.Single(device.TableTexts(arguments: false)).Text;

    /// <summary>Devices <c>a</c> with random data and <c>h</c> with its tree.</summary>
    internal static string Format(TestRegistry registry, VeritySuperblock parameters, Action<byte[]>? change = null)
    {
        FakeDevice data = registry.Add("a", 4096), hash = registry.Add("h", 1024);
        new Random(9).NextBytes(data.Data);
        change?.Invoke(data.Data);
        parameters = parameters with { DataBlocks = Blocks, Salt = _salt };
        byte[] root = VerityTree.Build(new MemoryStream(data.Data), new MemoryStream(hash.Data), parameters, 0);
        Assert.Null(VerityTree.Verify(new MemoryStream(data.Data), new MemoryStream(hash.Data), parameters, 0, root));
        return $"0 {Blocks * parameters.DataBlockSize / 512} verity {parameters.HashType} a h {parameters.DataBlockSize} {parameters.HashBlockSize} {Blocks} 0 {parameters.Algorithm} {Convert.ToHexStringLower(root)} 01020304";
    }

    /// <summary>A device <c>f</c> with the parity of 300 blocks of data and 4 of hashes.</summary>
    private static void AddParity(TestRegistry registry, int roots)
    {
        FakeDevice parity = registry.Add("f", 1024);
        byte[] covered = [.. registry["a"].Data.AsSpan(0, 300 * 4096), .. registry["h"].Data.AsSpan(0, 4 * 4096)];
        int length = ReedSolomon.Length - roots, rounds = (304 + length - 1) / length;
        ReedSolomon code = new(roots);
        byte[] blocks = new byte[length * 4096];
        for (int round = 0; round < rounds; round++)
        {
            Array.Clear(blocks);
            for (int place = 0; place < length && (round + (place * rounds)) * 4096 < covered.Length; place++)
            {
                covered.AsSpan((round + (place * rounds)) * 4096, 4096).CopyTo(blocks.AsSpan(place * 4096));
            }

            code.Encode(blocks, 4096, parity.Data.AsSpan(round * roots * 4096, roots * 4096));
        }
    }
}
