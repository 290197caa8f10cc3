using System.Text;
using DeviceMapper.Native;

namespace DeviceMapper.Ioctl;

/// <summary>The strings of the interface: bytes up to a NUL, taken as UTF-8.</summary>
internal static class NullTerminated
{
    // The kernel takes any bytes. What is not UTF-8 could not be given back unchanged, so it is refused.
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads up to the first NUL, or all of it.</summary>
    /// <param name="bytes">The string and what follows it.</param>
    /// <param name="what">What the string is, for the sentence.</param>
    public static string Read(ReadOnlySpan<byte> bytes, string what)
    {
        int end = bytes.IndexOf((byte)0);
        try
        {
            return Utf8.GetString(end < 0 ? bytes : bytes[..end]);
        }
        catch (DecoderFallbackException)
        {
            throw new DmException(Errno.EINVAL, $"{what}: the bytes given are not UTF-8");
        }
    }

    /// <summary>Writes a string into a field, filled up with NULs.</summary>
    public static void WriteField(Span<byte> field, string text, string what)
    {
        int length = Length(text, what);
        if (length >= field.Length)
        {
            throw new DmException(Errno.EINVAL, $"{what}: '{text}' is longer than {field.Length - 1} bytes");
        }

        Write(field, text);
        field[length..].Clear();
    }

    /// <summary>Writes a string and its NUL.</summary>
    /// <returns>How many bytes that were.</returns>
    public static int Write(Span<byte> to, string text)
    {
        int length = Utf8.GetBytes(text, to);
        to[length] = 0;
        return length + 1;
    }

    /// <summary>Bytes of a string without its NUL.</summary>
    /// <exception cref="DmException">EINVAL: it contains a NUL, or half a surrogate pair.</exception>
    public static int Length(string text, string what)
    {
        if (text.Contains('\0'))
        {
            throw new DmException(Errno.EINVAL, $"{what}: a NUL character cannot be part of it");
        }

        try
        {
            return Utf8.GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            throw new DmException(Errno.EINVAL, $"{what}: '{text}' is not valid text");
        }
    }

    /// <summary>The next multiple of 8, where records start.</summary>
    public static int Align8(int offset) => (offset + 7) & ~7;
}
