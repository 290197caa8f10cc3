using System.Runtime.InteropServices;
using System.Security.Cryptography;
using DeviceMapper.Io;

namespace DeviceMapper.Ioctl;

/// <summary>
/// A <c>struct dm_ioctl</c> and the payload behind it: one buffer of <see cref="DataSize"/> bytes, laid out as in the kernel's
/// <c>linux/dm-ioctl.h</c>. The properties read and write that buffer.
/// </summary>
/// <remarks>
/// The payload is read at <see cref="DataStart"/>, by one of the codecs: <see cref="TargetSpecs"/>, <see cref="NameList"/>,
/// <see cref="TargetVersions"/>, <see cref="TargetDependencies"/>, <see cref="TargetMessage"/>. The buffer is pinned, so that a
/// wipe leaves no copy of it.
/// </remarks>
public sealed class DmIoctl
{
    /// <summary><c>sizeof(struct dm_ioctl)</c>, in bytes.</summary>
    public const int HeaderSize = 312;

    /// <summary><c>offsetof(struct dm_ioctl, data)</c>: the least <see cref="DataSize"/>, and all that commands without payload copy.</summary>
    public const int FixedSize = 305;

    /// <summary>The greatest <see cref="DataSize"/>, in bytes: the kernel's DM_MAX_TARGETS * DM_MAX_TARGET_PARAMS.</summary>
    public const int MaxDataSize = 1 << 30;

    /// <summary>The longest name, in bytes of UTF-8.</summary>
    public const int MaxNameLength = NameField - 1;

    /// <summary>The longest uuid, in bytes of UTF-8.</summary>
    public const int MaxUuidLength = UuidField - 1;

    /// <summary>The size of a buffer for answers, in bytes, unless something else is asked for.</summary>
    public const int DefaultSize = 16 * 1024;

    private const int NameOffset = 48, NameField = 128;
    private const int UuidOffset = 176, UuidField = 129;

    private readonly Memory<byte> _buffer;

    /// <summary>An empty request.</summary>
    /// <param name="size">Its <see cref="DataSize"/>: room for the answer, <see cref="HeaderSize"/> included.</param>
    public DmIoctl(int size = DefaultSize)
    {
        _buffer = Pinned(size);
        Version = DmVersion.Oldest;
        DataSize = (uint)_buffer.Length;
        DataStart = HeaderSize;
    }

    private DmIoctl(Memory<byte> buffer) => _buffer = buffer;

    /// <summary>A copy of bytes, whatever they say; at least <see cref="HeaderSize"/> are kept, with zeroes for what is missing.</summary>
    public DmIoctl(ReadOnlySpan<byte> bytes)
    {
        _buffer = Pinned(bytes.Length);
        bytes.CopyTo(_buffer.Span);
    }

    /// <summary>Takes over a buffer of at least <see cref="HeaderSize"/> pinned bytes, or copies a smaller one.</summary>
    internal static DmIoctl Over(Memory<byte> buffer) => buffer.Length >= HeaderSize ? new DmIoctl(buffer) : new DmIoctl(buffer.Span);

    /// <summary>A request with a payload at <see cref="HeaderSize"/>.</summary>
    /// <param name="payload">What a codec wrote.</param>
    /// <param name="room">Least size of the whole, for the answer.</param>
    public static DmIoctl WithPayload(ReadOnlySpan<byte> payload, int room = DefaultSize)
    {
        DmIoctl ioctl = new(Math.Max(room, checked(HeaderSize + payload.Length)));
        payload.CopyTo(ioctl.Data);
        return ioctl;
    }

    /// <summary>All bytes.</summary>
    public Span<byte> Bytes => _buffer.Span;

    /// <summary>The same.</summary>
    internal ReadOnlyMemory<byte> Memory => _buffer;

    /// <summary>The bytes behind the struct: where answers are.</summary>
    public Span<byte> Data => Bytes[HeaderSize..];

    /// <summary>In: the caller's version of the interface. Out: ours.</summary>
    public DmVersion Version
    {
        get => new(ReadUInt32(0), ReadUInt32(4), ReadUInt32(8));
        set
        {
            WriteUInt32(0, value.Major);
            WriteUInt32(4, value.Minor);
            WriteUInt32(8, value.Patch);
        }
    }

    /// <summary>In: bytes in the buffer, this struct included. Out: how many of them are meant.</summary>
    public uint DataSize { get => ReadUInt32(12); set => WriteUInt32(12, value); }

    /// <summary>Where the payload starts, in bytes from the start of the struct.</summary>
    public uint DataStart { get => ReadUInt32(16); set => WriteUInt32(16, value); }

    /// <summary>In: targets in the payload. Out: targets of the table.</summary>
    public uint TargetCount { get => ReadUInt32(20); set => WriteUInt32(20, value); }

    /// <summary>Out: how many have the device open.</summary>
    public int OpenCount { get => (int)ReadUInt32(24); set => WriteUInt32(24, (uint)value); }

    /// <summary>Flags.</summary>
    public DmFlags Flags { get => (DmFlags)ReadUInt32(28); set => WriteUInt32(28, (uint)value); }

    /// <summary>In: the event number to wait past, or udev's cookie. Out: the device's event number.</summary>
    public uint EventNumber { get => ReadUInt32(32); set => WriteUInt32(32, value); }

    /// <summary>
    /// Read-ahead in sectors; null before the first table. Where the kernel's struct has padding, so it is there only with
    /// <see cref="DmFlags.TellReadAhead"/> or <see cref="DmFlags.SetReadAhead"/>.
    /// </summary>
    public uint? ReadAhead
    {
        get => ReadUInt32(36) is var sectors && sectors == uint.MaxValue ? null : sectors;
        set => WriteUInt32(36, value ?? uint.MaxValue);
    }

    /// <summary>The device's number as it is encoded; 0 if none is given.</summary>
    public ulong Dev { get => ReadUInt64(40); set => WriteUInt64(40, value); }

    /// <summary>The device's number.</summary>
    public DeviceNumber Device { get => DeviceNumber.Decode(Dev); set => Dev = value.Encoded; }

    /// <summary>The device's name, or "".</summary>
    /// <exception cref="DmException">EINVAL: it is too long, or (reading) not UTF-8.</exception>
    public string Name
    {
        get => NullTerminated.Read(Bytes.Slice(NameOffset, NameField - 1), "name");
        set => NullTerminated.WriteField(Bytes.Slice(NameOffset, NameField), value, "name");
    }

    /// <summary>The device's uuid, or "".</summary>
    /// <exception cref="DmException">EINVAL: it is too long, or (reading) not UTF-8.</exception>
    public string Uuid
    {
        get => NullTerminated.Read(Bytes.Slice(UuidOffset, UuidField - 1), "uuid");
        set => NullTerminated.WriteField(Bytes.Slice(UuidOffset, UuidField), value, "uuid");
    }

    /// <summary>Whether all flags of a set are set.</summary>
    public bool Has(DmFlags flags) => (Flags & flags) == flags;

    /// <summary>The same request with another room behind it; this itself where it has just that.</summary>
    /// <param name="size">The new size of the whole, at least <see cref="HeaderSize"/>.</param>
    internal DmIoctl WithSize(int size) => size == _buffer.Length && size == DataSize ? this : Copy(size);

    /// <summary>A copy of the request with another room behind it.</summary>
    /// <param name="size">The new size of the whole, at least <see cref="HeaderSize"/>.</param>
    internal DmIoctl Copy(int size)
    {
        DmIoctl copy = new(size);
        Bytes[..Math.Min(size, _buffer.Length)].CopyTo(copy.Bytes);
        copy.DataSize = (uint)size;
        return copy;
    }

    /// <summary>Overwrites all of it.</summary>
    public void Wipe() => CryptographicOperations.ZeroMemory(Bytes);

    private static byte[] Pinned(int size) => GC.AllocateArray<byte>(Math.Max(size, HeaderSize), pinned: true);

    // The struct is in the byte order of the machine.
    private uint ReadUInt32(int offset) => MemoryMarshal.Read<uint>(Bytes[offset..]);

    private void WriteUInt32(int offset, uint value) => MemoryMarshal.Write(Bytes[offset..], in value);

    private ulong ReadUInt64(int offset) => MemoryMarshal.Read<ulong>(Bytes[offset..]);

    private void WriteUInt64(int offset, ulong value) => MemoryMarshal.Write(Bytes[offset..], in value);
}
