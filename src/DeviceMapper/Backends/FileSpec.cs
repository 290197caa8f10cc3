using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Backends;

/// <summary>A regular file, by its inode.</summary>
/// <remarks>
/// The claim is a lock of the open file description on the whole file (F_OFD_SETLK): for nobody else where the file may be written by
/// this user, else shared with other readers. A file system without locks has no claims.
/// </remarks>
internal sealed class FileSpec : DeviceSpec
{
    private readonly string _path;
    private readonly bool _direct;
    private readonly bool _directIfPossible; // it was not asked for by name
    private readonly FileEngine _engine;
    private readonly bool _made;
    private readonly DeviceNumber _fileSystem;
    private readonly ulong _inode;

    /// <summary>Names a file that is there.</summary>
    /// <param name="name">The word that names it.</param>
    /// <param name="path">Its path, absolute.</param>
    /// <param name="status">What it is.</param>
    /// <param name="direct">Whether I/O goes past the page cache; null where the word does not say.</param>
    /// <param name="engine">Who waits for the disk.</param>
    /// <param name="preferDirect">Then it does, where the file system has that.</param>
    /// <param name="made">Whether finding it made it, so that <see cref="Abandon"/> removes it.</param>
    public FileSpec(string name, string path, FileStatus status, bool? direct, FileEngine engine, bool preferDirect, bool made)
    {
        Name = name;
        _path = path;
        _direct = direct ?? preferDirect;
        _directIfPossible = direct is null;
        _engine = engine;
        _made = made;
        _fileSystem = status.FileSystem;
        _inode = status.Inode;
    }

    /// <inheritdoc/>
    public override DeviceIdentity Identity => new("file", $"{_fileSystem} {_inode}");

    /// <inheritdoc/>
    public override string Name { get; }

    /// <summary>Not where the file system lies on a disk of this machine, which has just told of the file: only servers do not answer.</summary>
    public override bool MayHang => _fileSystem.Major == 0;

    /// <inheritdoc/>
    internal override string? OpenPath => _path;

    /// <inheritdoc/>
    public override IDisposable Claim(CancellationToken cancellation)
    {
        short kind = LibC.F_WRLCK;
        Errno error = TryOpen(LibC.O_RDWR, out OpenFile? file);
        if (error is Errno.EACCES or Errno.EROFS or Errno.EPERM or Errno.ETXTBSY)
        {
            kind = LibC.F_RDLCK;
            error = TryOpen(LibC.O_RDONLY, out file);
        }

        if (error != Errno.None)
        {
            throw OpenErrors.Refusal(error, _path);
        }

        error = file!.Lock(kind);
        if (error is Errno.EAGAIN or Errno.EACCES)
        {
            file.Dispose();
            throw new DmException(Errno.EBUSY, $"'{_path}' is {DeviceUsers.OfFile(_fileSystem, _inode)}");
        }

        return file;
    }

    /// <inheritdoc/>
    public override Backend Open(DeviceMode mode, CancellationToken cancellation) => Open(mode);

    /// <inheritdoc/>
    public override string? ApplyOptions(Backend open)
    {
        if (open is not FileBackend file)
        {
            return null;
        }

        string? other = file.IsDirect != _direct && !(_directIfPossible && _direct) ? $"with 'direct={(file.IsDirect ? "on" : "off")}'"
            : _engine != FileEngine.Automatic && file.Engine != _engine ? file.Engine switch
            {
                FileEngine.IoUring => "with 'aio=io_uring'",
                FileEngine.Threads => "with 'aio=threads'",
                _ => "without 'aio='",
            }
            : null;
        return other is null ? null : $"'{Name}': it is in use {other}, and stays so until nobody uses it";
    }

    /// <inheritdoc/>
    public override void Abandon()
    {
        // Only if it is still the file that was made.
        if (_made && FileStatus.TryGet(_path, out FileStatus status) == Errno.None && IsSame(status))
        {
            _ = LibC.Unlink(_path);
        }
    }

    private FileBackend Open(DeviceMode mode)
    {
        int flags = mode == DeviceMode.ReadOnly ? LibC.O_RDONLY : LibC.O_RDWR;
        Errno error = TryOpen(flags, out OpenFile? file);
        if (error != Errno.None)
        {
            throw OpenErrors.Refusal(error, _path);
        }

        OpenFile? direct = null;
        if (_direct)
        {
            error = TryOpen(flags | LibC.O_DIRECT, out direct);
            if (error != Errno.None && !(error == Errno.EINVAL && _directIfPossible))
            {
                file!.Dispose();
                throw error == Errno.EINVAL
                    ? new DmException(Errno.EINVAL, $"'{Name}': the file system of this file has no direct I/O; leave 'direct=on' out")
                    : OpenErrors.Refusal(error, _path);
            }
        }

        _ = file!.TryGetStatus(out FileStatus status);
        FileBackend backend = new(file, direct, status, mode == DeviceMode.ReadOnly ? () => Open(DeviceMode.ReadWrite) : null, _engine);
        if (_engine == FileEngine.IoUring && !backend.TryStartRing())
        {
            backend.Dispose();
            throw new DmException(
                Errno.EOPNOTSUPP,
                $"'{Name}': the kernel lets this process have no io_uring (a kernel before 5.6, kernel.io_uring_disabled, or a seccomp filter); leave 'aio=io_uring' out");
        }

        return backend;
    }

    private Errno TryOpen(int flags, out OpenFile? file)
    {
        Errno error = OpenFile.TryOpen(_path, flags | LibC.O_NONBLOCK, out file); // never waits for a pipe that took its place
        if (error == Errno.None && (file!.TryGetStatus(out FileStatus status) != Errno.None || !IsSame(status)))
        {
            file.Dispose();
            file = null;
            return Errno.ESTALE;
        }

        file?.AllowWaiting();
        return error;
    }

    private bool IsSame(FileStatus status) => status.FileSystem == _fileSystem && status.Inode == _inode;
}
