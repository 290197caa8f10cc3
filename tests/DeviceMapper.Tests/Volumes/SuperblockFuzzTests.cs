using System.Buffers.Binary;
using DeviceMapper.Native;
using DeviceMapper.Volumes.Integrity;
using DeviceMapper.Volumes.Verity;

namespace DeviceMapper.Tests.Volumes;

/// <summary>Superblocks of verity and integrity with bytes changed at random: refused with a sentence, or what they say is possible.</summary>
public sealed class SuperblockFuzzTests : IDisposable
{
    private const int Rounds = 3000;
    private const int Blocks = 16;

    private readonly string _folder = Directory.CreateTempSubdirectory("udm-superblock").FullName;

    private string Data => Path.Combine(_folder, "data");

    private string Hash => Path.Combine(_folder, "hash");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_superblock_of_verity()
    {
        File.WriteAllBytes(Data, new byte[Blocks * 4096]);
        byte[] root = VerityVolume.Format(Data, Hash, new VerityFormat { Salt = [1, 2, 3] }).RootHash;
        byte[] good = File.ReadAllBytes(Hash);
        int taken = Run(good, 96, () =>
        {
            VerityVolume volume = VerityVolume.Open(Data, Hash, root);
            string line = volume.TableLine("ignore_corruption").Arguments;
            Assert.Equal(12, line.Split(' ').Length); // whatever the name of the hash is
            Assert.InRange(volume.Superblock.DataBlocks * volume.Superblock.DataBlockSize, 1ul, Blocks * 4096ul);
            volume.FindCorruption();
        });
        Assert.InRange(taken, 1, Rounds - 1);
    }

    [Fact]
    public void A_superblock_of_integrity()
    {
        byte[] good = new byte[1 << 20];
        "integrt\0"u8.CopyTo(good);
        (good[8], good[9], good[10], good[12]) = (5, 15, 4, 1);
        BinaryPrimitives.WriteUInt64LittleEndian(good.AsSpan(16), 1000);
        good[24] = 24;
        File.WriteAllBytes(Hash, good);
        Assert.Equal(["fix_padding", "fix_hmac"], IntegrityVolume.ReadHeader(Hash).Features);
        int taken = Run(good, 64, () =>
        {
            IntegrityVolume volume = IntegrityVolume.Open(Hash);
            Assert.InRange(volume.Header.TagSize, 1, 255);
            Assert.Contains(volume.Header.SectorSize, (int[])[512, 1024, 2048, 4096]);
            Assert.NotEqual(0ul, volume.Header.ProvidedSectors);
            Assert.Equal(9, volume.TableLine().Arguments.Split(' ').Length);
        });
        Assert.InRange(taken, 1, Rounds - 1);
    }

    /// <summary>Opens a device whose first bytes are changed.</summary>
    /// <returns>How often it could be opened.</returns>
    private int Run(byte[] good, int length, Action open)
    {
        Random random = new(6);
        int taken = 0;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] bytes = good[..length];
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                bytes[random.Next(8, length)] = random.Next(3) == 0 ? (byte)random.Next(256) : (byte)(1 << random.Next(8));
            }

            using (FileStream file = File.OpenWrite(Hash))
            {
                file.Write(bytes);
            }

            try
            {
                open();
                taken++;
            }
            catch (DmException e)
            {
                Assert.Contains(e.Errno, (Errno[])[Errno.EINVAL, Errno.ENOENT, Errno.EIO]); // ENOENT: of the hash
                Assert.NotEmpty(e.Message);
            }
        }

        return taken;
    }
}
