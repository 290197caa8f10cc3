using System.Buffers.Binary;
using DeviceMapper.Cryptography;
using DeviceMapper.Io;

namespace DeviceMapper.Targets.Integrity;

/// <summary>
/// The encryption of a journal (<c>journal_crypt</c>): each section with a vector made of its number; or by a stream cipher, whose key stream runs over
/// all of the journal and then over the commit ids (the kernel's <c>create_journal</c>).
/// </summary>
internal sealed unsafe class JournalCipher : IDisposable
{
    private const int Page = 4096;

    private readonly SectorCipher _cipher;
    private readonly byte* _stream; // null for a cipher of blocks

    /// <summary>Makes it, and changes the commit ids where it is a stream cipher.</summary>
    public JournalCipher(SectorCipher cipher, nuint journalSize, Span<ulong> commitIds)
    {
        _cipher = cipher;
        if (cipher.BlockSize != 1)
        {
            return;
        }

        int pages = checked((int)((journalSize + Page - 1) / Page * Page));
        int ids = commitIds.Length * sizeof(ulong);
        _stream = (byte*)System.Runtime.InteropServices.NativeMemory.AllocZeroed((nuint)pages + (nuint)ids);
        Span<byte> stream = new(_stream, pages + ids);
        cipher.Encrypt(stream, stream, stackalloc byte[cipher.IvSize]);
        for (int i = 0; i < commitIds.Length; i++)
        {
            commitIds[i] ^= BinaryPrimitives.ReadUInt64LittleEndian(stream[(pages + (i * sizeof(ulong)))..]);
        }
    }

    /// <summary>Encrypts a section into a buffer of the same size.</summary>
    public void Encrypt(uint section, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext)
    {
        if (_stream is not null)
        {
            Bytes.Xor(plaintext, StreamOf(section, plaintext.Length), ciphertext);
            return;
        }

        Span<byte> iv = stackalloc byte[2 * SectorCipher.LargestIv];
        _cipher.Encrypt(plaintext, ciphertext, MakeVector(section, iv));
    }

    /// <summary>Decrypts a section in place.</summary>
    public void Decrypt(uint section, Span<byte> data)
    {
        if (_stream is not null)
        {
            Bytes.Xor(data, StreamOf(section, data.Length), data);
            return;
        }

        Span<byte> iv = stackalloc byte[2 * SectorCipher.LargestIv];
        _cipher.Decrypt(data, data, MakeVector(section, iv));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cipher.Dispose();
        System.Runtime.InteropServices.NativeMemory.Free(_stream);
    }

    private ReadOnlySpan<byte> StreamOf(uint section, int length) => new(_stream + ((nuint)section * (nuint)length), length);

    private ReadOnlySpan<byte> MakeVector(uint section, Span<byte> iv)
    {
        iv.Clear();
        int size = (_cipher.IvSize + _cipher.BlockSize - 1) / _cipher.BlockSize * _cipher.BlockSize;
        if (size == 0)
        {
            return [];
        }

        BinaryPrimitives.WriteUInt32LittleEndian(iv, section);
        _cipher.Encrypt(iv[..size], iv[..size], stackalloc byte[_cipher.IvSize]);
        return iv[.._cipher.IvSize];
    }
}
