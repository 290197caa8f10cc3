using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Targets;
using Microsoft.Win32.SafeHandles;

namespace DeviceMapper.Fuse.Tests;

/// <summary>Reads and writes that come together are handed on together, and hold up nobody.</summary>
public sealed class GroupTests
{
    private const int Timeout = 120_000;

    private static readonly TargetType _plugged = new("plugged", new TargetVersion(1, 0, 0), "", TargetFeatures.None, a => new PluggedTarget(a));

    [Fact(Timeout = Timeout)]
    public void Requests_that_come_together_are_sent_on_together()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/fio"), "needs fio");
        using MountedRegistry mounted = new([_plugged]);
        MappedDevice device = mounted.Registry.Create("m", "0 16384 plugged");
        foreach (string operation in (string[])["randread", "randwrite"])
        {
            int bios = PluggedTarget.Bios, groups = PluggedTarget.Groups;
            Fio(mounted, operation, loops: 4);
            bios = PluggedTarget.Bios - bios;
            groups = PluggedTarget.Groups - groups;
            Assert.True(bios >= 8192, $"{bios} bios");
            Assert.True(groups < bios, $"{operation}: {bios} bios in {groups} groups");
        }

        mounted.Registry.Remove(device);
    }

    [Fact(Timeout = Timeout)]
    public async Task What_is_held_back_for_one_device_does_not_wait_for_another_that_hangs()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/fio"), "needs fio");
        using MountedRegistry mounted = new([_plugged]);
        mounted.Registry.Create("m", "0 16384 plugged");
        mounted.Create("hangs");
        using SafeFileHandle hangs = mounted.Open("hangs");
        mounted.Disk("hangs").Answers.Reset();
        int before = PluggedTarget.Bios;
        Task fio = Task.Run(() => Fio(mounted, "randread", loops: 20));
        Assert.True(SpinWait.SpinUntil(() => PluggedTarget.Bios > before, TimeSpan.FromSeconds(60)));
        Task<int>[] hanging = [.. Enumerable.Range(0, 16).Select(i => Task.Factory.StartNew(
            () => RandomAccess.Read(hangs, new byte[4096], i * 4096L), TaskCreationOptions.LongRunning))];
        await fio;
        Assert.DoesNotContain(hanging, task => task.IsCompleted);
        mounted.Disk("hangs").Answers.Set();
        Assert.All(await Task.WhenAll(hanging), length => Assert.Equal(4096, length));
    }

    private static void Fio(MountedRegistry mounted, string operation, int loops) =>
        MountedRegistry.RunOk("fio", "--name=t", $"--filename={mounted.File_("m")}", "--direct=1", "--ioengine=libaio", "--iodepth=64",
            "--iodepth_batch_submit=32", "--iodepth_batch_complete_min=32", $"--rw={operation}", "--bs=4k", "--size=8M", $"--loops={loops}", "--allow_file_create=0");

    /// <summary>The target <c>plugged</c>: reads zeroes and forgets writes, when the thread that brought them has no more to bring.</summary>
    private sealed class PluggedTarget(TargetArguments arguments) : Target(arguments)
    {
        private readonly ThreadLocal<Group> _group = new(() => new Group());

        public static int Bios;
        public static int Groups;

        public override MapResult Map(Bio bio)
        {
            Group group = _group.Value!;
            group.Held.Add(bio);
            if (!Plug.TryHold(group))
            {
                group.Unplug();
            }

            return MapResult.Submitted;
        }

        public override void AppendTable(StringBuilder text)
        {
        }

        private sealed class Group : IPlugged
        {
            public List<Bio> Held { get; } = [];

            public void Unplug()
            {
                Interlocked.Increment(ref Groups);
                Interlocked.Add(ref Bios, Held.Count);
                Bio[] bios = [.. Held];
                Held.Clear();
                foreach (Bio bio in bios)
                {
                    if (bio.Operation == BioOperation.Read)
                    {
                        bio.Buffer.Clear();
                    }

                    bio.End(BioStatus.Ok);
                }
            }
        }
    }
}
