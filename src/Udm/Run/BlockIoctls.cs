using DeviceMapper.Native;

namespace Udm.Run;

/// <summary>The block devices' ioctls on a device that is a file (FUSE) and so knows none: those that ask, and those that change nothing a file has.</summary>
internal static class BlockIoctls
{
    /// <summary>The type byte of their numbers.</summary>
    public const uint Type = 0x12;

    // linux/fs.h
    private const uint GetReadOnly = 0x125e, GetSectors = 0x1260, FlushBuffers = 0x1261, SetReadAhead = 0x1262, GetReadAhead = 0x1263;
    private const uint GetSectorSize = 0x1268, GetIoMin = 0x1278, GetIoOpt = 0x1279, GetPhysicalSize = 0x127b;
    private const uint GetBlockSize = 0x80081270, GetBytes = 0x80081272;

    private const int SectorSize = 512, PageSize = 4096;
    private const ulong ReadAheadSectors = 256; // the kernel's default

    /// <summary>Answers one.</summary>
    /// <param name="call">The ioctl.</param>
    /// <param name="file">The device's file.</param>
    public static void Answer(TracedCall call, string file)
    {
        switch ((uint)call.Argument(1))
        {
            case FlushBuffers or SetReadAhead:
                call.Succeed();
                break;
            case GetReadAhead:
                Tell(call, BitConverter.GetBytes(ReadAheadSectors));
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
            default:
                call.Continue();
                break;
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
