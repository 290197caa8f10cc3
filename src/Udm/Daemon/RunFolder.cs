using Udm.Verbs;

namespace Udm.Daemon;

/// <summary>The folder of a daemon: its sockets, its lock, and its devices as files.</summary>
public sealed class RunFolder
{
    private RunFolder(string path) => Path = path;

    /// <summary>Its absolute path.</summary>
    public string Path { get; }

    /// <summary>The socket that takes the dm ioctls.</summary>
    public string ControlSocket => System.IO.Path.Combine(Path, "control");

    /// <summary>The socket of the NBD server.</summary>
    public string NbdSocket => System.IO.Path.Combine(Path, "nbd");

    /// <summary>Where each device is a file of its name.</summary>
    public string Mapper => System.IO.Path.Combine(Path, "mapper");

    /// <summary>Where each block device is a symbolic link of its device's name.</summary>
    public string Block => System.IO.Path.Combine(Path, "block");

    /// <summary>The file that the running daemon holds a lock on.</summary>
    public string LockFile => System.IO.Path.Combine(Path, "lock");

    /// <summary>
    /// Finds the folder: <paramref name="option"/> (<c>--run</c>), else <c>$UDM_RUN</c>, else <c>/run/udm</c> for root,
    /// <c>$XDG_RUNTIME_DIR/udm</c>, <c>/tmp/udm-UID</c>. Nothing is made or checked.
    /// </summary>
    public static RunFolder Find(string? option)
    {
        string? path = NotEmpty(option) ?? NotEmpty(Environment.GetEnvironmentVariable("UDM_RUN"));
        if (path is null)
        {
            string? runtime = NotEmpty(Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"));
            path = Environment.IsPrivilegedProcess ? "/run/udm"
                : runtime is not null ? System.IO.Path.Combine(runtime, "udm")
                : $"/tmp/udm-{Native.Process.UserId}";
        }

        return new RunFolder(System.IO.Path.GetFullPath(path));
    }

    /// <summary>
    /// Makes the folder with mode 0700, for a daemon. One that is there is taken as it is, if it is ours and others cannot write to it.
    /// </summary>
    /// <exception cref="VerbException">It cannot be made, or is not safe.</exception>
    public void Prepare()
    {
        try
        {
            Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VerbException($"the run folder {Path} cannot be made: {e.Message}");
        }

        (uint owner, UnixFileMode mode) = Native.FileOwner.Of(Path) ?? throw new VerbException($"the run folder {Path} cannot be looked at");
        if (owner != Native.Process.UserId)
        {
            throw new VerbException($"the run folder {Path} is that of user {owner}; one of your own is given by --run");
        }

        if ((mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
        {
            throw new VerbException($"others can write to the run folder {Path}; 'chmod go-w' makes it safe");
        }
    }

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
