using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using DeviceMapper.Native;
using Arm = System.Runtime.Intrinsics.Arm;
using X86 = System.Runtime.Intrinsics.X86;

namespace DeviceMapper.Cryptography.Modes;

/// <summary>AEGIS-128 (H. Wu and B. Preneel, 2016, of the CAESAR competition; crypto/aegis128-core.c), by the processor's instructions for AES.</summary>
internal sealed class Aegis128 : AeadCipher
{
    private const int Block = 16;
    private const int InitialRounds = 5;
    private const int FinalRounds = 7;

    private static readonly Vector128<byte> _first = Vector128.Create((byte)0x00, 0x01, 0x01, 0x02, 0x03, 0x05, 0x08, 0x0d, 0x15, 0x22, 0x37, 0x59, 0x90, 0xe9, 0x79, 0x62);
    private static readonly Vector128<byte> _second = Vector128.Create((byte)0xdb, 0x3d, 0x18, 0x55, 0x6d, 0xc2, 0x2f, 0xf1, 0x20, 0x11, 0x31, 0x42, 0x73, 0xb5, 0x28, 0xdd);

    private readonly SecretMemory _key = new(Block);

    /// <summary>Whether the processor has what it needs.</summary>
    public static bool IsSupported => X86.Aes.IsSupported || Arm.Aes.IsSupported;

    /// <inheritdoc/>
    public override int IvSize => Block;

    /// <inheritdoc/>
    public override int BlockSize => 1;

    /// <inheritdoc/>
    public override bool TakesTag(int size) => size is >= 8 and <= Block;

    /// <inheritdoc/>
    public override void SetKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != Block)
        {
            throw new DmException(Errno.EINVAL, $"aegis128 takes keys of {Block} bytes, not of {key.Length}");
        }

        key.CopyTo(_key.Span);
    }

    /// <inheritdoc/>
    public override void Encrypt(ReadOnlySpan<byte> source, Span<byte> destination, Span<byte> associated, Span<byte> tag)
    {
        State state = new(MemoryMarshal.Read<Vector128<byte>>(_key.Span), associated);
        Span<byte> last = stackalloc byte[Block];
        int whole = source.Length & -Block;
        for (int at = 0; at < whole; at += Block)
        {
            Vector128<byte> plaintext = MemoryMarshal.Read<Vector128<byte>>(source[at..]);
            MemoryMarshal.Write(destination[at..], plaintext ^ state.Stream);
            state.Update(plaintext);
        }

        if (whole < source.Length)
        {
            last.Clear();
            source[whole..].CopyTo(last);
            Vector128<byte> plaintext = MemoryMarshal.Read<Vector128<byte>>(last);
            MemoryMarshal.Write(last, plaintext ^ state.Stream);
            last[..(source.Length - whole)].CopyTo(destination[whole..]);
            state.Update(plaintext);
        }

        MemoryMarshal.Write(last, state.Tag(associated.Length, source.Length));
        last[..tag.Length].CopyTo(tag);
    }

    /// <inheritdoc/>
    public override bool Decrypt(ReadOnlySpan<byte> source, Span<byte> destination, Span<byte> associated, ReadOnlySpan<byte> tag)
    {
        State state = new(MemoryMarshal.Read<Vector128<byte>>(_key.Span), associated);
        Span<byte> last = stackalloc byte[Block];
        int whole = source.Length & -Block;
        for (int at = 0; at < whole; at += Block)
        {
            Vector128<byte> plaintext = MemoryMarshal.Read<Vector128<byte>>(source[at..]) ^ state.Stream;
            MemoryMarshal.Write(destination[at..], plaintext);
            state.Update(plaintext);
        }

        if (whole < source.Length)
        {
            last.Clear();
            source[whole..].CopyTo(last);
            MemoryMarshal.Write(last, MemoryMarshal.Read<Vector128<byte>>(last) ^ state.Stream);
            last[(source.Length - whole)..].Clear();
            last[..(source.Length - whole)].CopyTo(destination[whole..]);
            state.Update(MemoryMarshal.Read<Vector128<byte>>(last));
        }

        MemoryMarshal.Write(last, state.Tag(associated.Length, source.Length));
        bool right = CryptographicOperations.FixedTimeEquals(last[..tag.Length], tag);
        if (!right)
        {
            destination[..source.Length].Clear();
        }

        return right;
    }

    /// <inheritdoc/>
    public override void Dispose() => _key.Dispose();

    private struct State
    {
        private Vector128<byte> _s0;
        private Vector128<byte> _s1;
        private Vector128<byte> _s2;
        private Vector128<byte> _s3;
        private Vector128<byte> _s4;

        /// <summary>Takes the key, and the associated data, which ends with the vector.</summary>
        public State(Vector128<byte> key, ReadOnlySpan<byte> associated)
        {
            Vector128<byte> both = key ^ MemoryMarshal.Read<Vector128<byte>>(associated[^Block..]);
            _s0 = both;
            _s1 = _second;
            _s2 = _first;
            _s3 = key ^ _first;
            _s4 = key ^ _second;
            for (int i = 0; i < InitialRounds; i++)
            {
                Update(key);
                Update(both);
            }

            Span<byte> block = stackalloc byte[Block];
            for (; !associated.IsEmpty; associated = associated[Math.Min(Block, associated.Length)..])
            {
                block.Clear();
                associated[..Math.Min(Block, associated.Length)].CopyTo(block);
                Update(MemoryMarshal.Read<Vector128<byte>>(block));
            }
        }

        /// <summary>What the next block is encrypted with.</summary>
        public readonly Vector128<byte> Stream => _s1 ^ _s4 ^ (_s2 & _s3);

        /// <summary>Takes a block.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Update(Vector128<byte> block)
        {
            Vector128<byte> last = _s4;
            _s4 = Round(_s3, _s4);
            _s3 = Round(_s2, _s3);
            _s2 = Round(_s1, _s2);
            _s1 = Round(_s0, _s1);
            _s0 = Round(last, _s0 ^ block);
        }

        /// <summary>Ends it.</summary>
        /// <param name="associated">Bytes of the associated data.</param>
        /// <param name="length">Bytes of the plaintext.</param>
        public Vector128<byte> Tag(int associated, int length)
        {
            Vector128<byte> lengths = _s3 ^ Vector128.Create((ulong)associated * 8, (ulong)length * 8).AsByte();
            for (int i = 0; i < FinalRounds; i++)
            {
                Update(lengths);
            }

            return _s0 ^ _s1 ^ _s2 ^ _s3 ^ _s4;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector128<byte> Round(Vector128<byte> state, Vector128<byte> key) => X86.Aes.IsSupported
            ? X86.Aes.Encrypt(state, key)
            : Arm.Aes.MixColumns(Arm.Aes.Encrypt(state, Vector128<byte>.Zero)) ^ key;
    }
}
