using System.Buffers.Binary;
using System.Text;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server.Options;

/// <summary>Reads the data of an option from its start to its end.</summary>
internal ref struct OptionReader(ReadOnlySpan<byte> data)
{
    private ReadOnlySpan<byte> _left = data;

    /// <summary>Whether all has been read.</summary>
    public readonly bool IsAtEnd => _left.IsEmpty;

    /// <summary>Reads a number of 16 bits.</summary>
    public bool TryReadUInt16(out ushort number)
    {
        bool there = BinaryPrimitives.TryReadUInt16BigEndian(_left, out number);
        _left = there ? _left[sizeof(ushort)..] : _left;
        return there;
    }

    /// <summary>Reads a number of 32 bits.</summary>
    public bool TryReadUInt32(out uint number)
    {
        bool there = BinaryPrimitives.TryReadUInt32BigEndian(_left, out number);
        _left = there ? _left[sizeof(uint)..] : _left;
        return there;
    }

    /// <summary>Reads a string with its length, in 32 bits, before it: UTF-8, of at most <see cref="NbdHandshake.MaxString"/> bytes.</summary>
    public bool TryReadString(out string text)
    {
        text = "";
        if (!TryReadUInt32(out uint length) || length > (uint)_left.Length || length > NbdHandshake.MaxString)
        {
            return false;
        }

        text = Encoding.UTF8.GetString(_left[..(int)length]);
        _left = _left[(int)length..];
        return true;
    }
}
