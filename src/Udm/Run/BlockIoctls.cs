using System.Buffers.Binary;
using DeviceMapper.Ioctl;
using DeviceMapper.Native;
using Udm.Native;

namespace Udm.Run;

/// <summary>The block devices' ioctls on a device that is a file (FUSE) and so knows none: those that ask, and those that change nothing a file has.</summary>
internal static class BlockIoctls
{
    /// <summary>The type byte of their numbers.</summary>
    public const uint Type = 0x12;

    // linux/fs.h
    private const uint GetReadOnly = 0x125e, GetSectors = 0x1260, FlushBuffers = 0x1261, SetReadAhead = 0x1262, GetReadAhead = 0x1263;
    private const uint GetSectorSize = 0x1268, GetIoMin = 0x1278, GetIoOpt = 0x1279, GetPhysicalSize = 0x127b;
    private const uint Discard = 0x1277, ZeroOut = 0x127f;
    private const uint GetBlockSize = 0x80081270, GetBytes = 0x80081272;

    private const int SectorSize = 512, PageSize = 4096;

    /// <summary>Answers one.</summary>
    /// <param name="call">The ioctl.</param>
    /// <param name="devices">The devices.</param>
    /// <param name="file">The device's file.</param>
    /// <param name="threads">For those that may wait.</param>
    public static void Answer(TracedCall call, MappedDevices devices, string file, CallThreads threads)
    {
        switch ((uint)call.Argument(1))
        {
            case FlushBuffers:
                call.Succeed();
                break;
            case SetReadAhead:
                if (devices.OfFile(file) is { } device)
                {
                    devices.SetReadAhead(device, call.Argument(2));
                }

                call.Succeed();
                break;
            case GetReadAhead:
                Tell(call, BitConverter.GetBytes((ulong)(devices.Status(new DmIoctl(DmIoctl.HeaderSize) { Name = devices.OfFile(file)?.Name ?? "" })?.ReadAhead ?? 0)));
                break;
            case GetSectors:
                Tell(call, BitConverter.GetBytes((ulong)new FileInfo(file).Length / SectorSize));
                break;
            case GetBytes:
                Tell(call, BitConverter.GetBytes((ulong)new FileInfo(file).Length));
                break;
            case GetSectorSize or GetPhysicalSize or GetIoMin:
                Tell(call, BitConverter.GetBytes(SectorSize));
                break;
            case GetBlockSize:
                Tell(call, BitConverter.GetBytes(PageSize));
                break;
            case GetIoOpt:
                Tell(call, BitConverter.GetBytes(0));
                break;
            case GetReadOnly:
                Tell(call, BitConverter.GetBytes((File.GetUnixFileMode(file) & UnixFileMode.UserWrite) == 0 ? 1 : 0));
                break;
            case Discard:
                Deallocate(call, file, (_, start, length) => devices.Discard(file, start, length), threads);
                break;
            case ZeroOut:
                Deallocate(call, file, FileCalls.Zero, threads);
                break;
            default:
                call.Continue();
                break;
        }
    }

    /// <summary>Does to a range of a device what the ioctl does to one of a block device; it may wait, as for a device that is suspended.</summary>
    private static void Deallocate(TracedCall call, string file, Func<string, long, long, Errno> action, CallThreads threads)
    {
        Span<byte> range = stackalloc byte[2 * sizeof(ulong)];
        if (!call.Read(call.Argument(2), range))
        {
            call.Fail(Errno.EFAULT);
            return;
        }

        long start = BinaryPrimitives.ReadInt64LittleEndian(range), length = BinaryPrimitives.ReadInt64LittleEndian(range[sizeof(ulong)..]);
        int descriptor = (int)call.Argument(0);
        if (!call.MayWrite(descriptor))
        {
            call.Fail(Errno.EBADF);
        }
        else if (((start | length) & (SectorSize - 1)) != 0 || start < 0 || length <= 0 || length > new FileInfo(file).Length - start)
        {
            call.Fail(Errno.EINVAL);
        }
        else
        {
            string path = call.Reach(descriptor);
            threads.Run(() => call.Fail(action(path, start, length))); // 0 where it is done
        }
    }

    private static void Tell(TracedCall call, ReadOnlySpan<byte> value)
    {
        if (call.Write(call.Argument(2), value))
        {
            call.Succeed();
        }
        else
        {
            call.Fail(Errno.EFAULT);
        }
    }
}
