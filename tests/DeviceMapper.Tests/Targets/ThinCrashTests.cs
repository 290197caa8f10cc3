using System.Diagnostics;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

/// <summary>
/// A pool under random work whose power is cut again and again: whatever was flushed must be there, and what was not may be there or not. Seeded; 2,000
/// cuts and more in all, five times as many with UDM_TEST_LONG.
/// </summary>
public sealed class ThinCrashTests : IDisposable
{
    private const int VolumeSectors = ThinModel.Sectors;
    private const string Pool = // larger than all volumes together: a block that was shared once is copied although it is no longer
        "0 5120 thin-pool m d 128 0";

    private readonly string _folder = Directory.CreateTempSubdirectory("udm-thin").FullName;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, Environment.GetEnvironmentVariable("UDM_TEST_LONG") == "1" ? 40 : 8)];

    [Theory, MemberData(nameof(Seeds))]
    public void What_was_flushed_is_there_after_a_power_cut(int seed)
    {
        using TestRegistry registry = new();
        PowerCuts metadata = new(registry.Add("m", 1024), seed);
        PowerCuts data = new(registry.Add("d", 5120), -seed);
        MappedDevice pool = registry.Create("pool", Pool);
        Random random = new(seed);
        List<ThinModel> models = [];
        AddVolume(new ThinModel());
        int cuts = 0;
        metadata.Watch();
        data.Watch();
        List<(byte[] Metadata, byte[] Data)> images = [];
        metadata.WhenWriting = data.WhenWriting = () =>
        {
            if (random.Next(4) == 0 && images.Count < 8)
            {
                images.Add((metadata.Cut(), data.Cut()));
            }
        };
        while (cuts < 260)
        {
            ThinModel model = models[random.Next(models.Count)];
            int count = random.Next(4) == 0 ? 128 : random.Next(1, 60);
            int at = count == 128 ? 128 * random.Next(VolumeSectors / 128) : random.Next(VolumeSectors - count);
            switch (random.Next(10))
            {
                case 0 when models.Count < 4:
                    images.Clear();
                    model.Device!.Suspend();
                    AddVolume(model.Snapshot(), models.IndexOf(model)); // a message commits: all that was written is durable
                    model.Device.Resume();
                    images.Clear();
                    models.ForEach(m => m.Flushed());
                    break;
                case 1:
                    Assert.Equal(BioStatus.Ok, TestBio.Flush(model.Device!));
                    Check();
                    models.ForEach(m => m.Flushed());
                    break;
                case 2:
                    model.Discard(at, count);
                    Assert.Equal(BioStatus.Ok, TestBio.Do(model.Device!, BioOperation.Discard, (ulong)at, (ulong)count));
                    break;
                default:
                    bool durable = random.Next(6) == 0;
                    Assert.Equal(BioStatus.Ok, TestBio.Write(model.Device!, (ulong)at, model.Write(at, count), durable ? BioFlags.Fua : BioFlags.None));
                    if (durable)
                    {
                        Check();
                        model.Flushed(at, count);
                    }

                    break;
            }

            Check();
        }

        void Check()
        {
            (byte[] Metadata, byte[] Data)[] taken = [.. images];
            images.Clear();
            foreach ((byte[] m, byte[] d) in taken)
            {
                Reopen(m, d, models, thorough: cuts++ % 40 == 0);
            }
        }

        void AddVolume(ThinModel model, int origin = -1)
        {
            pool.Message(default, origin < 0 ? $"create_thin {models.Count}" : $"create_snap {models.Count} {origin}");
            model.Device = registry.Create($"t{models.Count}", $"0 {VolumeSectors} thin /dev/mapper/pool {models.Count}");
            models.Add(model);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Reopen(byte[] metadata, byte[] data, List<ThinModel> models, bool thorough)
    {
        if (thorough && new[] { "/usr/sbin/thin_check", "/usr/bin/thin_check" }.FirstOrDefault(File.Exists) is { } program)
        {
            string file = Path.Combine(_folder, "metadata");
            File.WriteAllBytes(file, metadata);
            using Process check = Process.Start(new ProcessStartInfo(program, file) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            string said = check.StandardError.ReadToEnd();
            check.WaitForExit();
            Assert.True(check.ExitCode == 0, $"thin_check: {said}");
        }

        using TestRegistry registry = new();
        metadata.CopyTo(registry.Add("m", 1024).Data, 0);
        data.CopyTo(registry.Add("d", 5120).Data, 0);
        MappedDevice pool = registry.Create("pool", Pool);
        Assert.Contains(" rw ", ThinPoolTargetTests.Status(pool));
        for (int i = 0; i < models.Count; i++)
        {
            models[i].Check(TestBio.Read(registry.Create($"t{i}", $"0 {VolumeSectors} thin /dev/mapper/pool {i}"), 0, VolumeSectors), $"{i}");
        }
    }

    /// <summary>A device with a write cache that loses what was not flushed, or a part of it.</summary>
    private sealed class PowerCuts(FakeDevice device, int seed)
    {
        private readonly Random _random = new(seed);
        private byte[] _durable = [];
        private Bio? _under; // the write that is under way

        /// <summary>Called before each write.</summary>
        public Action? WhenWriting { get; set; }

        public void Watch()
        {
            _durable = [.. device.Data];
            device.Answer = bio =>
            {
                if (bio.Operation == BioOperation.Flush)
                {
                    device.Data.CopyTo(_durable, 0);
                    return BioStatus.Ok;
                }

                if (bio.IsWrite)
                {
                    _under = bio;
                    WhenWriting?.Invoke();
                    _under = null;
                    if ((bio.Flags & BioFlags.Fua) != 0)
                    {
                        bio.Buffer.CopyTo(_durable.AsSpan((int)bio.Sector.Bytes, bio.Buffer.Length));
                    }
                }

                return BioStatus.Ok;
            };
        }

        /// <summary>What is on it if the power goes now: of what was not flushed, and of the write that is under way, each sector may have arrived or not.</summary>
        public byte[] Cut()
        {
            int keep = _random.Next(3); // nothing of the cache, half, all
            byte[] image = [.. _durable];
            for (int at = 0; at < image.Length && keep > 0; at += Sector.Size)
            {
                if (keep == 2 || _random.Next(2) == 0)
                {
                    device.Data.AsSpan(at, Sector.Size).CopyTo(image.AsSpan(at));
                }
            }

            if (_under is { HasData: true } write && _random.Next(2) == 0)
            {
                for (int at = 0; at < write.Buffer.Length; at += Sector.Size)
                {
                    if (_random.Next(2) == 0)
                    {
                        write.Buffer.Slice(at, Sector.Size).CopyTo(image.AsSpan((int)write.Sector.Bytes + at, Sector.Size));
                    }
                }
            }

            return image;
        }
    }
}
