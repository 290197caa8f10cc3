using System.Globalization;
using Core;
using CryptEngine;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Volumes.Verity;

// The engine's side of bench/crypt, in this process: crypt-engine xts SECTOR_SIZE read|write THREADS SECONDS | verity seq|random THREADS SECONDS
// Prints MB in a second of a thread's processor time, and MB in a second of time by all threads.
const int CryptBio = 32 << 10; // bytes: below the size from which several processors share a bio
const int VerityBio = 128 << 10;
const uint VerityBlocks = 4096;
string key = Convert.ToHexStringLower([.. Enumerable.Range(0, 64).Select(i => (byte)i)]);
switch (args)
{
    case ["xts", string sectorSize, string direction, string threads, string seconds]:
        using (DeviceRegistry registry = NullDevice.Registry())
        {
            MappedDevice device = registry.Create("c", $"0 1048576 crypt aes-xts-plain64 {key} 0 null 0 1 sector_size:{sectorSize}");
            Print(Submitting.Run(device, int.Parse(threads), Number(seconds), direction == "read" ? BioOperation.Read : BioOperation.Write, CryptBio, 1048576, random: false));
        }

        break;
    case ["verity", string order, string threads, string seconds]:
        string folder = Directory.CreateTempSubdirectory("udm-bench").FullName;
        try
        {
            string data = Path.Combine(folder, "data"), hash = Path.Combine(folder, "hash");
            File.WriteAllBytes(data, new byte[VerityBlocks * 4096]);
            string table = VerityVolume.Format(data, hash).TableLine().ToString();
            // The data is zeroes, which the buffer has: the device below does no work, so that it is verity that is measured.
            using DeviceRegistry registry = NullDevice.Registry();
            MappedDevice device = registry.Create("v", table.Replace(data, "null", StringComparison.Ordinal), DeviceMode.ReadOnly);
            Print(Submitting.Run(device, int.Parse(threads), Number(seconds), BioOperation.Read, order == "seq" ? VerityBio : 4096, VerityBlocks * 8, order != "seq"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        break;
    default:
        Console.Error.WriteLine("crypt-engine xts SECTOR_SIZE read|write THREADS SECONDS | verity seq|random THREADS SECONDS");
        return 2;
}

return 0;

static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

static void Print((double OfProcessor, double OfTime) bytes) =>
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bytes.OfProcessor / 1e6:0} {bytes.OfTime / 1e6:0}"));
