using DeviceMapper;
using DeviceMapper.Io;
using DeviceMapper.Native;
using Udm.Daemon;
using Udm.Native;

namespace Udm.Run;

/// <summary>Answers the system calls of a command and all its children, as far as they concern the device mapper.</summary>
internal sealed class Supervisor
{
    private const int AtFdCwd = -100;
    private const int OpenWrite = 0x3, OpenCreate = 0x40, OpenCloseOnExec = 0x80000, OpenPath = 0x200000, OpenNoFollow = 0x20000, OpenExclusive = 0x80, OpenTruncate = 0x200, OpenDirectory = 0x10000;
    private const uint NoFollow = 0x100; // AT_SYMLINK_NOFOLLOW
    private readonly int _listener;
    private readonly MappedDevices _devices;
    private readonly MapperView _view;
    private readonly ControlFiles _controls;
    private readonly IoctlCalls _ioctls;
    private readonly MountedFiles _mounted;
    private readonly ReadAheadFiles _readAheads;
    private readonly GivenKeys _keys = new();
    private readonly CallThreads _threads = new();

    /// <summary>Prepares to answer.</summary>
    /// <param name="listener">Where the calls come from.</param>
    /// <param name="folder">The daemon's.</param>
    /// <param name="clients">Connections to it.</param>
    /// <param name="tree">The folders of devices.</param>
    /// <param name="devices">The devices.</param>
    public Supervisor(int listener, RunFolder folder, ControlClients clients, MappedDevices devices, SysTree tree)
    {
        _listener = listener;
        _devices = devices;
        _view = new MapperView(devices, tree);
        _mounted = new MountedFiles(devices);
        _readAheads = new ReadAheadFiles(devices);
        _controls = new ControlFiles(folder.ControlSocket);
        _ioctls = new IoctlCalls(clients, _keys, _threads);
        Seccomp.WakeInPlace(listener);
    }

    /// <summary>Answers until no process of the command is left.</summary>
    public void Run()
    {
        while (Seccomp.Next(_listener, out SeccompNotification notification))
        {
            TracedCall call = new(_listener, notification);
            try
            {
                _readAheads.Apply();
                Answer(call);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
            {
                call.Continue(); // not a path, or not ours to see
            }
            catch (DmException e)
            {
                call.Fail(e.Errno);
            }
        }

        _readAheads.Apply();
    }

    private void Answer(TracedCall call)
    {
        switch (call.Number)
        {
            case SystemCall.IoCtl:
                Control(call);
                break;
            case SystemCall.AddKey:
                _keys.Note(call);
                call.Continue();
                break;
            case SystemCall.Open:
                Open(call, AtFdCwd, 0, (uint)call.Argument(1));
                break;
            case SystemCall.OpenAt:
                Open(call, Folder(call), 1, (uint)call.Argument(2));
                break;
            case SystemCall.OpenAt2:
                Open(call, Folder(call), 1, call.ReadUInt32(call.Argument(2), out uint flags) ? flags : 0);
                break;
            case SystemCall.Stat:
                Status(call, Seen(call, AtFdCwd, 0, follow: true), () => call.Reach(AtFdCwd, call.Argument(0)), 1);
                break;
            case SystemCall.LStat:
                Status(call, Seen(call, AtFdCwd, 0, follow: false), () => call.Reach(AtFdCwd, call.Argument(0)), 1, NoFollow);
                break;
            case SystemCall.FStat:
                Status(call, Opened(call, (int)call.Argument(0)), () => call.Reach((int)call.Argument(0)), 1);
                break;
            case SystemCall.NewFStatAt:
                StatusAt(call, 2, (uint)call.Argument(3), extended: false);
                break;
            case SystemCall.StatX:
                StatusAt(call, 4, (uint)call.Argument(2), extended: true);
                break;
            case SystemCall.StatFs:
                FileSystem(call, Seen(call, AtFdCwd, 0, follow: true));
                break;
            case SystemCall.FStatFs:
                FileSystem(call, Opened(call, (int)call.Argument(0)));
                break;
            case SystemCall.Access:
                Exists(call, Seen(call, AtFdCwd, 0, follow: true), (int)call.Argument(1));
                break;
            case SystemCall.FAccessAt or SystemCall.FAccessAt2:
                Exists(call, Seen(call, Folder(call), 1, follow: true), (int)call.Argument(2));
                break;
            case SystemCall.ReadLink:
                ReadLink(call, Seen(call, AtFdCwd, 0, follow: false), 1);
                break;
            case SystemCall.ReadLinkAt:
                ReadLink(call, Seen(call, Folder(call), 1, follow: false), 2);
                break;
            case SystemCall.SwapOn:
                Swap(call, path => FileCalls.SwapOn(path, (int)call.Argument(1)));
                break;
            case SystemCall.SwapOff:
                Swap(call, FileCalls.SwapOff);
                break;
            case SystemCall.GetXAttr or SystemCall.ListXAttr:
                Refuse(call, Seen(call, AtFdCwd, 0, follow: true), Errno.EOPNOTSUPP);
                break;
            case SystemCall.LGetXAttr or SystemCall.LListXAttr:
                Refuse(call, Seen(call, AtFdCwd, 0, follow: false), Errno.EOPNOTSUPP);
                break;
            case SystemCall.Unlink or SystemCall.MkNod or SystemCall.LChOwn:
                Pretend(call, Seen(call, AtFdCwd, 0, follow: false));
                break;
            case SystemCall.ChMod or SystemCall.ChOwn or SystemCall.Rename:
                Pretend(call, Seen(call, AtFdCwd, 0, follow: true));
                break;
            case SystemCall.Symlink:
                Pretend(call, Seen(call, AtFdCwd, 1, follow: false));
                break;
            case SystemCall.SymlinkAt:
                Pretend(call, Seen(call, (int)call.Argument(1), 2, follow: false));
                break;
            case SystemCall.UnlinkAt or SystemCall.MkNodAt or SystemCall.RenameAt or SystemCall.RenameAt2:
                Pretend(call, Seen(call, Folder(call), 1, follow: false));
                break;
            case SystemCall.FChModAt or SystemCall.FChOwnAt:
                Pretend(call, Seen(call, Folder(call), 1, follow: true));
                break;
            default:
                call.Continue();
                break;
        }
    }

    private static int Folder(TracedCall call) => (int)call.Argument(0);

    private SeenFile? Seen(TracedCall call, int folder, int argument, bool follow) =>
        call.Path(folder, call.Argument(argument)) is { } path ? _view.Find(path, follow) : null;

    /// <summary>What an open file is: of one in our folder we know the descriptor only, which may be a link's (O_PATH).</summary>
    private SeenFile? Opened(TracedCall call, int descriptor)
    {
        string? name = descriptor < 0 ? null : call.Descriptor(descriptor);
        SeenFile? seen = name is null ? null : _controls.Find(name) is not null ? new SeenFile.Control() : _view.OfOpened(name);
        return seen is SeenFile.Elsewhere there ? there with { Path = call.Reach(descriptor) } : seen;
    }

    /// <summary>An ioctl of the device mapper's type, or of block devices'; on a file that is not ours it is the kernel's business.</summary>
    private void Control(TracedCall call)
    {
        string? name = call.Descriptor((int)call.Argument(0));
        if ((((uint)call.Argument(1) >> 8) & 0xff) == BlockIoctls.Type)
        {
            if (name is not null && _devices.IsDeviceFile(name))
            {
                BlockIoctls.Answer(call, _devices, name, _threads);
            }
            else
            {
                call.Continue();
            }
        }
        else if (_controls.Find(name) is { } file)
        {
            _ioctls.Run(call, file);
        }
        else
        {
            call.Continue();
        }
    }

    /// <summary>
    /// Opens a file. The kernel passes no descriptor on that was opened as a path only (O_PATH): such a one is for reading here, except
    /// that of a link in a folder of ours, which the kernel finds from there.
    /// </summary>
    private void Open(TracedCall call, int folder, int argument, uint flags)
    {
        bool closeOnExec = (flags & OpenCloseOnExec) != 0, pathOnly = (flags & OpenPath) != 0, follow = (flags & OpenNoFollow) == 0;
        SeenFile? seen = Seen(call, folder, argument, follow);
        if (seen is null && (flags & (OpenPath | OpenDirectory)) == 0 && call.Path(folder, call.Argument(argument)) is { } path)
        {
            seen = _view.OfNode(path, follow);
        }

        switch (seen)
        {
            case null or SeenFile.Text when pathOnly:
                call.Continue();
                break;
            case SeenFile.Elsewhere there when pathOnly && call.Path(folder, call.Argument(argument)) == there.Path:
                call.Continue();
                break;
            case SeenFile.Absent:
                call.Fail((flags & OpenCreate) != 0 ? Errno.EACCES : Errno.ENOENT); // no plain file takes a device's place
                break;
            case SeenFile.Control:
                _controls.Open(call, closeOnExec);
                break;
            case SeenFile.Text text:
                GiveAndClose(call, Seccomp.MemoryFile(System.Text.Encoding.UTF8.GetBytes(text.Contents)), closeOnExec);
                break;
            case SeenFile.Device when (flags & (OpenCreate | OpenExclusive)) == (OpenCreate | OpenExclusive):
                call.Fail(Errno.EEXIST);
                break;
            case SeenFile.Device device:
                uint kept = flags & ~(uint)(OpenCreate | OpenTruncate | OpenNoFollow | OpenPath);
                GiveAndClose(call, Seccomp.Open(_view.DataOf(device), (int)kept | OpenCloseOnExec), closeOnExec);
                break;
            case SeenFile.ReadAhead setting when (flags & OpenWrite) != 0:
                _readAheads.Open(call, setting.Of, closeOnExec);
                break;
            case SeenFile.Elsewhere there:
                GiveAndClose(call, Seccomp.Open(there.Path, ((int)flags & ~OpenPath) | OpenCloseOnExec), closeOnExec);
                break;
            default:
                call.Continue();
                break;
        }
    }

    private static void GiveAndClose(TracedCall call, int descriptor, bool closeOnExec)
    {
        if (descriptor < 0)
        {
            call.Fail((Errno)(-descriptor));
            return;
        }

        call.Give(descriptor, closeOnExec);
        Seccomp.Close(descriptor);
    }

    /// <summary>Tells of a path, or, where it is empty, of an open file.</summary>
    private void StatusAt(TracedCall call, int argument, uint flags, bool extended)
    {
        if (call.Path(Folder(call), call.Argument(1)) is { } path)
        {
            Status(call, _view.Find(path, (flags & NoFollow) == 0), () => call.Reach(Folder(call), call.Argument(1)), argument, flags, extended);
        }
        else
        {
            Status(call, Opened(call, Folder(call)), () => call.Reach(Folder(call)), argument, flags & ~NoFollow, extended);
        }
    }

    /// <summary>Tells of a file, in the struct that an argument points to.</summary>
    /// <param name="call">The call.</param>
    /// <param name="seen">What the file is, where it is something else than outside.</param>
    /// <param name="reach">Tells the path by which it is reached from here; null where it cannot be.</param>
    /// <param name="argument">Where the answer goes.</param>
    /// <param name="flags"><c>AT_*</c> flags.</param>
    /// <param name="extended">Whether it is a <c>struct statx</c>.</param>
    private void Status(TracedCall call, SeenFile? seen, Func<string?> reach, int argument, uint flags = 0, bool extended = false)
    {
        byte[]? bytes = seen switch
        {
            SeenFile.Control => Node(MapperView.ControlNumber),
            SeenFile.Device device => Node(device.Number),
            SeenFile.Elsewhere there => OnFileSystem(there.Root, Ask(there.Path)),
            null when _devices.HasBlocks && reach() is { } path => _mounted.Status(call, path, Ask),
            _ => null,
        };
        if (bytes is null)
        {
            Refuse(call, seen is SeenFile.Elsewhere ? new SeenFile.Absent() : seen, Errno.ENOENT);
            return;
        }

        Tell(call, call.Argument(argument), bytes);

        byte[]? Node(DeviceNumber number)
        {
            bool block = number != MapperView.ControlNumber;
            return OnFileSystem("/dev", extended ? NodeStatus.StatX(block, number, Process.UserId) : NodeStatus.Stat(block, number, Process.UserId));
        }

        byte[]? OnFileSystem(string root, byte[]? status)
        {
            return status is not null && Ask(root) is { } other ? NodeStatus.WithFileSystem(status, NodeStatus.FileSystem(other)) : status;
        }

        byte[]? Ask(string file)
        {
            byte[] status = new byte[extended ? NodeStatus.StatXSize : NodeStatus.StatSize];
            Errno error = extended ? FileCalls.StatX(file, (int)flags, (uint)call.Argument(3), status) : FileCalls.Stat(file, (int)flags, status);
            return error == Errno.None ? status : null;
        }
    }

    /// <summary>Tells of the file system that a file is on: systemd's library believes a folder of devices on sysfs only.</summary>
    private static void FileSystem(TracedCall call, SeenFile? seen)
    {
        byte[] status = new byte[FileCalls.FileSystemSize];
        if (seen is SeenFile.Elsewhere there && FileCalls.StatFs(there.Root, status) == Errno.None)
        {
            Tell(call, call.Argument(1), status);
        }
        else
        {
            call.Continue();
        }
    }

    /// <summary>Does to a device's block device what the kernel would do to the node that it does not have.</summary>
    private void Swap(TracedCall call, Func<string, Errno> action)
    {
        if (Seen(call, AtFdCwd, 0, follow: true) is SeenFile.Device device && call.HasOurRights)
        {
            string node = _view.DataOf(device);
            _threads.Run(() => call.Fail(action(node))); // 0 where it is done
        }
        else
        {
            call.Continue();
        }
    }

    private static void Tell(TracedCall call, ulong address, byte[] answer)
    {
        if (call.Write(address, answer))
        {
            call.Succeed();
        }
        else
        {
            call.Fail(Errno.EFAULT);
        }
    }

    private static void Exists(TracedCall call, SeenFile? seen, int mode)
    {
        if (seen is SeenFile.Control or SeenFile.Device)
        {
            call.Succeed();
        }
        else if (seen is SeenFile.Elsewhere there)
        {
            call.Fail(FileCalls.Access(there.Path, mode)); // 0 where it may
        }
        else
        {
            Refuse(call, seen, Errno.ENOENT);
        }
    }

    private static void ReadLink(TracedCall call, SeenFile? seen, int argument)
    {
        if (seen is not SeenFile.Elsewhere there)
        {
            Refuse(call, seen, Errno.EINVAL); // a node is no link
            return;
        }

        string? target = new FileInfo(there.Path).LinkTarget;
        byte[] text = System.Text.Encoding.UTF8.GetBytes(target ?? "");
        int length = (int)Math.Min((ulong)text.Length, call.Argument(argument + 1));
        if (target is null || length == 0)
        {
            call.Fail(Path.Exists(there.Path) ? Errno.EINVAL : Errno.ENOENT);
        }
        else if (call.Write(call.Argument(argument), text.AsSpan(0, length)))
        {
            call.Succeed(length);
        }
        else
        {
            call.Fail(Errno.EFAULT);
        }
    }

    /// <summary>Nodes follow their devices by themselves, so what a program does to them is done already.</summary>
    private static void Pretend(TracedCall call, SeenFile? seen)
    {
        if (seen is null or SeenFile.Text or SeenFile.Elsewhere)
        {
            call.Continue();
        }
        else
        {
            call.Succeed();
        }
    }

    private static void Refuse(TracedCall call, SeenFile? seen, Errno errno)
    {
        if (seen is null or SeenFile.Text)
        {
            call.Continue();
        }
        else
        {
            call.Fail(seen is SeenFile.Absent ? Errno.ENOENT : errno);
        }
    }
}
