using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using DeviceMapper.Native;
using Udm.Native;

namespace Udm.Run;

/// <summary>One system call that waits for its answer.</summary>
internal sealed unsafe class TracedCall(int listener, SeccompNotification notification)
{
    private const int AtFdCwd = -100, PathMax = 4096, PageSize = 4096;
    private const string ProcSelf = "/proc/self/"; // what it is to the caller

    private (ulong Address, string? Text) _text;

    /// <summary>Which call.</summary>
    public SystemCall Number => (SystemCall)notification.Number;

    /// <summary>The calling thread.</summary>
    public uint Pid => notification.Pid;

    /// <summary>The calling thread's process.</summary>
    public uint Process => StatusNumber("Tgid");

    /// <summary>The calling process's session (setsid(2)).</summary>
    public uint Session => StatusNumber("NSsid");

    /// <summary>Whether the caller has our user and our capabilities: only then we may do for it what it asks for.</summary>
    public bool HasOurRights => Rights(OwnStatus) == Rights(Status("self"));

    /// <summary>Whether a signal waits that the calling thread does not block.</summary>
    public bool HasSignal
    {
        get
        {
            string[] status = OwnStatus;
            return ((Set("SigPnd") | Set("ShdPnd")) & ~Set("SigBlk")) != 0;

            ulong Set(string name) => Field(status, name) is { } set ? ulong.Parse(set, NumberStyles.HexNumber, CultureInfo.InvariantCulture) : 0;
        }
    }

    /// <summary>An argument, as it is in the register.</summary>
    public ulong Argument(int index) => notification.Arguments[index];

    /// <summary>Whether the caller still waits for the answer.</summary>
    public bool StillWaits => Seccomp.StillWaits(listener, notification.Id);

    /// <summary>Lets the kernel carry the call out as if nobody had looked.</summary>
    public void Continue() => Seccomp.Answer(listener, new SeccompResponse { Id = notification.Id, Flags = Seccomp.ContinueFlag });

    /// <summary>Ends the call with a value.</summary>
    public void Succeed(long value = 0) => Seccomp.Answer(listener, new SeccompResponse { Id = notification.Id, Value = value });

    /// <summary>Ends the call with an error.</summary>
    public void Fail(Errno errno) => Seccomp.Answer(listener, new SeccompResponse { Id = notification.Id, Error = -(int)errno });

    /// <summary>Ends an open with a descriptor of the caller's for one of ours, which stays ours.</summary>
    public void Give(int descriptor, bool closeOnExec)
    {
        SeccompDescriptor given = new()
        {
            Id = notification.Id,
            Flags = Seccomp.SendFlag,
            Source = descriptor,
            TargetFlags = closeOnExec ? 0x80000u : 0,
        };
        if (!Seccomp.AnswerDescriptor(listener, given))
        {
            Fail(Errno.EMFILE);
        }
    }

    /// <summary>Reads the caller's memory.</summary>
    public bool Read(ulong address, Span<byte> bytes) => ReadSome(address, bytes) == bytes.Length;

    /// <summary>Reads the caller's memory up to where it ends. Returns the number of bytes; 0 where there is none.</summary>
    public int ReadSome(ulong address, Span<byte> bytes) => Seccomp.ReadSome(Pid, address, bytes) is > 0 and int got && StillWaits ? got : 0;

    /// <summary>Writes to the caller's memory.</summary>
    public bool Write(ulong address, ReadOnlySpan<byte> bytes) => StillWaits && Seccomp.Write(Pid, address, bytes);

    /// <summary>Reads a number of 32 bits.</summary>
    public bool ReadUInt32(ulong address, out uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        bool read = Read(address, bytes);
        value = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        return read;
    }

    /// <summary>
    /// The path at an address of the caller's, made absolute by a descriptor of a folder, without <c>.</c> and <c>..</c>. Null where it
    /// cannot be read, or is empty: the kernel says then what is wrong.
    /// </summary>
    public string? Path(int folder, ulong address) => Text(address) is { Length: > 0 } text ? Absolute(folder, text) : null;

    /// <summary>
    /// A path by which we reach what the caller means by the one at an address of its own, links and <c>..</c> left to the kernel; by an
    /// empty one it means the descriptor itself. Null where it cannot be read.
    /// </summary>
    public string? Reach(int folder, ulong address) => Text(address) is not { } text ? null
        : text.StartsWith('/') ? $"/proc/{Pid}/root{text}"
        : $"{(folder == AtFdCwd ? $"/proc/{Pid}/cwd" : Reach(folder))}{(text.Length > 0 ? "/" : "")}{text}";

    /// <summary>A path by which we reach what a descriptor of the caller's is.</summary>
    public string Reach(int descriptor) => $"/proc/{Pid}/fd/{descriptor}";

    /// <summary>The text at an address of the caller's, up to its NUL. Null where it cannot be read, or is as long as no path may be. It is read once, whatever the caller does to it meanwhile.</summary>
    public string? Text(ulong address)
    {
        if (_text.Address != address)
        {
            _text = (address, ReadText(address));
        }

        return _text.Text;
    }

    private string? ReadText(ulong address)
    {
        Span<byte> bytes = stackalloc byte[PathMax];
        int length = 0;
        while (length < PathMax)
        {
            // A string may end at the end of what is mapped: no read crosses a page.
            int piece = Math.Min(PathMax - length, PageSize - (int)((address + (ulong)length) % PageSize));
            if (Seccomp.ReadSome(Pid, address + (ulong)length, bytes.Slice(length, piece)) != piece)
            {
                return null;
            }

            int end = bytes.Slice(length, piece).IndexOf((byte)0);
            if (end >= 0)
            {
                return Encoding.UTF8.GetString(bytes[..(length + end)]);
            }

            length += piece;
        }

        return null;
    }

    /// <summary>What a descriptor of the caller's is, by /proc; null where it cannot be told.</summary>
    public string? Descriptor(int descriptor) => FileCalls.LinkTarget(Reach(descriptor));

    /// <summary>Whether the caller has a descriptor open for writing.</summary>
    public bool MayWrite(int descriptor) =>
        Field(Lines($"/proc/{Pid}/fdinfo/{descriptor}"), "flags") is { } flags && (Convert.ToUInt32(flags.Trim(), 8) & 3) != 0; // O_ACCMODE

    private string[] OwnStatus => Status(Pid.ToString(CultureInfo.InvariantCulture));

    private uint StatusNumber(string field) =>
        Field(OwnStatus, field)?.Split('\t')[0] is { } first && uint.TryParse(first, CultureInfo.InvariantCulture, out uint number) ? number : 0;

    private static (string? User, string? Capabilities) Rights(string[] status) => (Field(status, "Uid"), Field(status, "CapEff"));

    private static string? Field(string[] status, string name) =>
        status.FirstOrDefault(line => line.StartsWith(name + ":\t", StringComparison.Ordinal))?[(name.Length + 2)..];

    /// <summary>What /proc tells of a process; nothing where it has ended.</summary>
    private static string[] Status(string process) => Lines($"/proc/{process}/status");

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (IOException)
        {
            return [];
        }
    }

    private string? Absolute(int folder, string path)
    {
        if (path[0] != '/')
        {
            string? start = folder == AtFdCwd ? FileCalls.LinkTarget($"/proc/{Pid}/cwd") : Descriptor(folder);
            if (start is null || start[0] != '/')
            {
                return null;
            }

            path = $"{start}/{path}";
        }

        path = System.IO.Path.GetFullPath(path);
        return path == "/proc/mounts" ? $"/proc/{Pid}/mounts"
            : path.StartsWith(ProcSelf, StringComparison.Ordinal) ? $"/proc/{Pid}/{path[ProcSelf.Length..]}"
            : path;
    }
}
