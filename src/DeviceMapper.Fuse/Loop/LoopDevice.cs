using System.Globalization;
using System.Text;
using DeviceMapper.Fuse.Native;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Loop;

/// <summary>A loop device of the kernel (drivers/block/loop.c).</summary>
/// <remarks>
/// It is opened for each thing that is done to it, and never kept open: data that others wrote through the page cache reach
/// the file when the last of them closes, and we would be one more.
/// </remarks>
/// <param name="minor">Its number: 3 for /dev/loop3.</param>
internal sealed class LoopDevice(uint minor)
{
    private const string Control = "/dev/loop-control";
    private const uint Major = 7;
    private const uint BlockNode = 0x6000 | 0x180; // S_IFBLK, 0600
    private const uint LargestBlock = 4096; // bytes; a loop device takes no more than a page
    private const int Attempts = 100; // others may be faster to take the free one

    private string _file = "";

    /// <summary>Its number as a block device.</summary>
    public DeviceNumber Number => new(Major, minor);

    /// <summary>Its node.</summary>
    public string Path => $"/dev/loop{minor}";

    /// <summary>The path of the file that it is attached to, as the kernel tells it; null where it is detached.</summary>
    public string? BackingFile
    {
        get
        {
            try
            {
                return File.ReadAllText($"{Sys}/loop/backing_file").TrimEnd('\n');
            }
            catch (IOException)
            {
                return null;
            }
        }
    }

    /// <summary>Whether somebody has it for himself: mounted, as swap, below another device. Who has merely opened it is not seen.</summary>
    public bool IsClaimed
    {
        get
        {
            Errno error = Descriptor.TryOpen(Path, LibC.O_RDONLY | LibC.O_EXCL, out Descriptor probe);
            if (error == Errno.None)
            {
                probe.Dispose();
            }

            return error == Errno.EBUSY;
        }
    }

    private string Sys => $"/sys/block/loop{minor}";

    /// <summary>All that are attached to a file.</summary>
    public static IEnumerable<LoopDevice> Attached()
    {
        const string Prefix = "/sys/block/loop";
        foreach (string folder in Directory.EnumerateDirectories("/sys/block", "loop*"))
        {
            if (uint.TryParse(folder.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out uint minor)
                && File.Exists($"{folder}/loop/backing_file"))
            {
                yield return new LoopDevice(minor);
            }
        }
    }

    /// <summary>Attaches a free one to a file, with direct I/O where the file has it.</summary>
    /// <param name="file">Its path.</param>
    /// <param name="blockSize">Bytes of a logical block.</param>
    /// <exception cref="DmException">There are no loop devices, or none can be had; the errno is the kernel's.</exception>
    public static LoopDevice Attach(string file, uint blockSize)
    {
        Errno error = Descriptor.TryOpen(Control, LibC.O_RDWR, out Descriptor control);
        if (error != Errno.None)
        {
            throw new DmException(error, $"{Control} cannot be opened (modprobe loop)");
        }

        using (control)
        {
            error = Descriptor.TryOpen(file, LibC.O_RDWR, out Descriptor backing);
            if (error != Errno.None)
            {
                throw new DmException(error, $"{file} cannot be opened for a loop device");
            }

            using (backing)
            {
                return AttachFree(control, backing, file, Math.Min(blockSize, LargestBlock));
            }
        }
    }

    /// <summary>Takes over the size that the file has now.</summary>
    public void FollowSize() => Do(LoopIoctl.SetCapacity, 0, "cannot take the new size");

    /// <summary>Sets the size of a logical block, in bytes.</summary>
    public void SetBlockSize(uint bytes)
    {
        if (Queue("logical_block_size") != Math.Min(bytes, LargestBlock))
        {
            Do(LoopIoctl.SetBlockSize, Math.Min(bytes, LargestBlock), $"cannot take blocks of {bytes} bytes");
        }
    }

    /// <summary>Sets whether writes are refused.</summary>
    public void SetReadOnly(bool readOnly)
    {
        using Descriptor loop = Open();
        SetReadOnly(loop, readOnly);
    }

    /// <summary>Detaches it, unless somebody has it open.</summary>
    /// <param name="whenUnused">Where somebody has: the kernel detaches it when the last one closes it.</param>
    /// <returns>False where somebody has it open.</returns>
    /// <remarks>
    /// LOOP_CLR_FD of a busy device answers 0, and only sets that it is detached on its last close. If we are the only opener, it is as good as
    /// detached from then on: nobody can open it any more, and its ioctls say ENXIO.
    /// </remarks>
    public bool Detach(bool whenUnused)
    {
        using Descriptor loop = Open();
        if (loop.Ioctl(LoopIoctl.Clear) == Errno.ENXIO)
        {
            return true; // somebody else has
        }

        bool busy = loop.Ioctl(LoopIoctl.SetDirectIo, 1) != Errno.ENXIO;
        if (busy && !whenUnused)
        {
            LoopInfo info = Info(_file, 0);
            _ = loop.Ioctl(LoopIoctl.SetStatus, ref info);
        }
        else if (!busy)
        {
            // Whoever has it next is to find it as new.
            SetReadOnly(loop, false);
        }

        return !busy;
    }

    private static LoopDevice AttachFree(Descriptor control, Descriptor backing, string file, uint blockSize)
    {
        LoopConfig config = new() { Descriptor = backing.Number, BlockSize = blockSize, Info = Info(file, LoopIoctl.DirectIo) };
        Errno error = Errno.EBUSY;
        for (int i = 0; i < Attempts && error == Errno.EBUSY; i++)
        {
            int free = FreeNumber(control);
            LoopDevice device = new((uint)free) { _file = file };
            device.MakeNode();
            using Descriptor loop = device.Open(LibC.O_RDWR); // else it would be read-only
            error = loop.Ioctl(LoopIoctl.Configure, ref config);
            if (error == Errno.None)
            {
                return device;
            }
        }

        throw new DmException(error, $"no loop device can be attached to {file}");
    }

    private static unsafe int FreeNumber(Descriptor control)
    {
        int free = LibC.Ioctl(control.Number, LoopIoctl.GetFree, null);
        return free >= 0 ? free : throw new DmException(Errnos.Last, "the kernel has no free loop device");
    }

    private static unsafe LoopInfo Info(string file, uint flags)
    {
        LoopInfo info = new() { Flags = flags };
        byte[] name = Encoding.UTF8.GetBytes(file);
        name.AsSpan(0, Math.Min(name.Length, LoopInfo.NameLength - 1)).CopyTo(new Span<byte>(info.FileName, LoopInfo.NameLength));
        return info;
    }

    private static void SetReadOnly(Descriptor loop, bool readOnly)
    {
        int value = readOnly ? 1 : 0;
        _ = loop.Ioctl(LoopIoctl.SetReadOnly, ref value);
    }

    /// <summary>In containers nobody makes the nodes.</summary>
    private void MakeNode()
    {
        if (!File.Exists(Path))
        {
            _ = LibC.MakeNode(Path, BlockNode, Number.Encoded);
        }
    }

    private Descriptor Open(int flags = LibC.O_RDONLY)
    {
        Errno error = Descriptor.TryOpen(Path, flags, out Descriptor loop);
        return error == Errno.None ? loop : throw new DmException(error, $"{Path} cannot be opened");
    }

    private void Do(nuint request, nuint argument, string failure)
    {
        using Descriptor loop = Open();
        Errno error = loop.Ioctl(request, argument);
        if (error != Errno.None)
        {
            throw new DmException(error, $"{Path} {failure}");
        }
    }

    private ulong Queue(string limit) =>
        ulong.TryParse(File.ReadAllText($"{Sys}/queue/{limit}"), CultureInfo.InvariantCulture, out ulong value) ? value : 0;
}
