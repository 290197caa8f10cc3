using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace DeviceMapper.Fuse.Protocol;

/// <summary>
/// One message of the kernel: its header, and the bytes behind it. It is a window on a receive buffer, and every length
/// is checked: a kernel of another version, or whoever else holds the other end, cannot make us read beyond it.
/// </summary>
internal readonly ref struct FuseRequest
{
    private FuseRequest(FuseInHeader header, ReadOnlySpan<byte> body)
    {
        Header = header;
        Body = body;
    }

    public FuseInHeader Header { get; }

    /// <summary>What follows the header, without the extensions at its end.</summary>
    public ReadOnlySpan<byte> Body { get; }

    public FuseOpcode Opcode => Header.Opcode;

    public ulong Unique => Header.Unique;

    /// <summary>Reads the header. False where the message is too short, or its own lengths contradict what came.</summary>
    public static bool TryParse(ReadOnlySpan<byte> message, out FuseRequest request)
    {
        request = default;
        if (!MemoryMarshal.TryRead(message, out FuseInHeader header) || header.Length != (uint)message.Length)
        {
            return false;
        }

        int headerLength = Unsafe.SizeOf<FuseInHeader>();
        int extensions = header.ExtensionLength * 8;
        if (extensions > message.Length - headerLength)
        {
            return false;
        }

        request = new FuseRequest(header, message[headerLength..^extensions]);
        return true;
    }

    /// <summary>Reads the struct that the body starts with.</summary>
    public bool TryRead<T>(out T value)
        where T : unmanaged => MemoryMarshal.TryRead(Body, out value);

    /// <summary>Reads a body that is one name, ended by a zero byte. False where it is not, or is not UTF-8.</summary>
    public bool TryReadName([NotNullWhen(true)] out string? name)
    {
        name = null;
        int end = Body.IndexOf((byte)0);
        if (end <= 0 || !System.Text.Unicode.Utf8.IsValid(Body[..end]))
        {
            return false;
        }

        name = Encoding.UTF8.GetString(Body[..end]);
        return true;
    }
}
