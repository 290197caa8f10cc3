using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using DeviceMapper.Fuse.Native;
using DeviceMapper.Native;

namespace DeviceMapper.Fuse.Mounting;

/// <summary>fusermount3, the set-user-id program by which users mount: it opens /dev/fuse, mounts, and sends the descriptor over a socket.</summary>
internal static unsafe class Fusermount
{
    private const string Program = "fusermount3";

    /// <summary>Mounts on a folder.</summary>
    /// <returns>A descriptor of /dev/fuse that does not block.</returns>
    /// <exception cref="DmException">It is not installed, or refuses.</exception>
    public static int Mount(string folder)
    {
        int* sockets = stackalloc int[2];
        if (LibC.SocketPair(LibC.AF_UNIX, LibC.SOCK_STREAM, 0, sockets) < 0)
        {
            throw new DmException(Errnos.Last, $"no socket to talk to {Program} by");
        }

        int ours = sockets[0], theirs = sockets[1];
        _ = LibC.Fcntl(ours, LibC.F_SETFD, LibC.FD_CLOEXEC);
        try
        {
            int exit = Run(["-o", $"rw,nosuid,nodev,fsname=udm,subtype=udm,{MountPoint.Options}", "--", folder], theirs, out string output);
            if (exit != 0)
            {
                throw new DmException(Errno.EPERM, $"{output}");
            }

            return ReceiveDescriptor(ours);
        }
        finally
        {
            _ = LibC.Close(ours);
            _ = LibC.Close(theirs);
        }
    }

    /// <summary>Unmounts lazily.</summary>
    /// <exception cref="DmException">It refuses.</exception>
    public static void Unmount(string folder)
    {
        if (Run(["-u", "-z", "--", folder], null, out string output) != 0)
        {
            throw new DmException(Errno.EBUSY, $"{folder} stays mounted: {output}");
        }
    }

    private static int Run(string[] arguments, int? socket, out string output)
    {
        ProcessStartInfo start = new(Program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["LC_ALL"] = "C";
        if (socket is { } descriptor)
        {
            start.Environment["_FUSE_COMMFD"] = descriptor.ToString(CultureInfo.InvariantCulture);
        }

        try
        {
            using Process process = Process.Start(start)!;
            process.StandardOutput.Close();
            output = process.StandardError.ReadToEnd().Trim().ReplaceLineEndings("; ");
            process.WaitForExit();
            if (output.Length == 0)
            {
                output = $"{Program} ended with status {process.ExitCode}";
            }

            return process.ExitCode;
        }
        catch (Win32Exception exception)
        {
            throw new DmException(Errno.ENOENT, $"{Program} is missing (apt-get install fuse3), and only root mounts without it", exception);
        }
    }

    private static int ReceiveDescriptor(int socket)
    {
        byte data;
        IoVector vector = new() { Base = (nint)(&data), Length = 1 };
        LibC.DescriptorMessage control = default;
        LibC.MessageHeader message = new() { Vectors = &vector, VectorCount = 1, Control = &control, ControlLength = sizeof(LibC.DescriptorMessage) };
        nint received;
        do
        {
            received = LibC.ReceiveMessage(socket, &message, LibC.MSG_CMSG_CLOEXEC);
        }
        while (received < 0 && Errnos.Last == Errno.EINTR);

        if (received <= 0 || message.ControlLength == 0 || control.Level != LibC.SOL_SOCKET || control.Type != LibC.SCM_RIGHTS)
        {
            throw new DmException(Errno.EPROTO, $"{Program} sent no descriptor");
        }

        nint flags = LibC.Fcntl(control.Descriptor, LibC.F_GETFL, 0);
        _ = LibC.Fcntl(control.Descriptor, LibC.F_SETFL, flags | LibC.O_NONBLOCK);
        return control.Descriptor;
    }
}
