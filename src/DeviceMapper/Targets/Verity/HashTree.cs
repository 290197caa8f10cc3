using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Verity;

/// <summary>
/// The tree of hashes of a verity device: where the hash of each block lies, and which blocks of the tree are known to be good.
/// Its root is given; each block of the tree is verified by the one above it.
/// </summary>
internal sealed class HashTree : IDisposable
{
    private const int MostLevels = 63;

    private readonly Digest _digest;
    private readonly byte[] _salt;
    private readonly uint _version;
    private readonly int _perBlockBits; // log2 of hashes in a block
    private readonly int _slot; // bytes from one hash to the next in a block
    private readonly ulong[] _levelStart; // on the hash device, in blocks; level 0 has the hashes of data
    private readonly HashBlockCache _verified;

    /// <summary>Lays the tree out.</summary>
    /// <param name="version">0 or 1.</param>
    /// <param name="digest">The hash, which the tree disposes of.</param>
    /// <param name="salt">Goes into each hash: before the block in version 1, after it in version 0.</param>
    /// <param name="root">The hash of the top block.</param>
    /// <param name="dataBlocks">How many blocks of data there are.</param>
    /// <param name="hashBlockSize">Bytes of a block of the tree.</param>
    /// <param name="hashStart">The first block of the tree.</param>
    /// <exception cref="DmException">E2BIG: it would not fit any device.</exception>
    public HashTree(uint version, Digest digest, byte[] salt, byte[] root, ulong dataBlocks, uint hashBlockSize, ulong hashStart)
    {
        _version = version;
        _digest = digest;
        _salt = salt;
        Root = root;
        HashBlockSize = (int)hashBlockSize;
        _perBlockBits = BitOperations.Log2(hashBlockSize / (uint)digest.Size);
        _slot = version == 0 ? digest.Size : HashBlockSize >> _perBlockBits;
        int levels = 0;
        while (dataBlocks > 0 && _perBlockBits * levels < 64 && (dataBlocks - 1) >> (_perBlockBits * levels) != 0)
        {
            levels++;
        }

        if (levels > MostLevels)
        {
            throw new DmException(Errno.E2BIG, $"verity: the tree would have {levels} levels, and there may be {MostLevels}");
        }

        _levelStart = new ulong[levels];
        ulong position = hashStart;
        for (int level = levels - 1; level >= 0; level--)
        {
            _levelStart[level] = position;
            ulong blocks = BlocksOfLevel(dataBlocks, level);
            if (position + blocks < position)
            {
                throw new DmException(Errno.E2BIG, "verity: the tree would reach beyond the largest device");
            }

            position += blocks;
        }

        End = position;
        _verified = new HashBlockCache(HashBlockSize);
    }

    /// <summary>The hash of the top block, or of the only block of data.</summary>
    public byte[] Root { get; }

    /// <summary>Bytes of a hash.</summary>
    public int DigestSize => _digest.Size;

    /// <summary>Bytes of a block of the tree.</summary>
    public int HashBlockSize { get; }

    /// <summary>The block after the tree, on the hash device.</summary>
    public ulong End { get; }

    /// <summary>How many levels there are; none where the root is the hash of the only block of data.</summary>
    public int Levels => _levelStart.Length;

    /// <summary>The first block of each level on the hash device, level 0 first.</summary>
    public ReadOnlySpan<ulong> LevelStarts => _levelStart;

    /// <summary>How many blocks a level has.</summary>
    public ulong BlocksOfLevel(ulong dataBlocks, int level)
    {
        int bits = (level + 1) * _perBlockBits;
        return bits >= 64 ? 1 : ((dataBlocks - 1) >> bits) + 1;
    }

    /// <summary>Where the hash of the n-th block of the level below lies in its block.</summary>
    public int OffsetOf(ulong index) => (int)(index & ((1ul << _perBlockBits) - 1)) * _slot;

    /// <summary>Hashes a block with the salt.</summary>
    public void Hash(ReadOnlySpan<byte> block, Span<byte> digest)
    {
        if (_version == 0)
        {
            _digest.Hash(block, _salt, digest);
        }
        else
        {
            _digest.Hash(_salt, block, digest);
        }
    }

    /// <summary>Whether a block has a hash, of <see cref="DigestSize"/> bytes.</summary>
    public unsafe bool Matches(ReadOnlySpan<byte> block, ReadOnlySpan<byte> expected)
    {
        if (Sse.IsSupported)
        {
            // It is far from the processor where blocks are read at random, and comes near while the block is hashed.
            Sse.Prefetch0(Unsafe.AsPointer(ref MemoryMarshal.GetReference(expected)));
        }

        Span<byte> digest = stackalloc byte[Digest.LargestSize];
        Hash(block, digest);
        return digest[.._digest.Size].SequenceEqual(expected);
    }

    /// <summary>Finds the hash of a block of data in what is known to be good.</summary>
    /// <param name="block">Of data.</param>
    /// <param name="digest">It, where the answer is true: <see cref="DigestSize"/> bytes that never change.</param>
    public bool TryFind(ulong block, out ReadOnlySpan<byte> digest) => TryFind(block, 0, out digest);

    /// <summary>The block of the tree that has to be read and verified next, on the way to the hash of a block of data.</summary>
    /// <param name="block">Of data; <see cref="TryFind(ulong, out ReadOnlySpan{byte})"/> did not find it.</param>
    /// <param name="digest">The hash that the block of the tree must have.</param>
    /// <returns>The block, on the hash device.</returns>
    public ulong NextToRead(ulong block, out ReadOnlySpan<byte> digest)
    {
        int level = 1;
        while (!TryFind(block, level, out digest))
        {
            level++;
        }

        return BlockAt(block, level - 1);
    }

    /// <summary>Remembers a block of the tree that was verified, or that is taken as it is.</summary>
    public void Remember(ulong hashBlock, ReadOnlySpan<byte> content) => _verified.Add(hashBlock, content);

    /// <inheritdoc/>
    public void Dispose() => _digest.Dispose();

    private bool TryFind(ulong block, int level, out ReadOnlySpan<byte> digest)
    {
        if (level == Levels)
        {
            digest = Root;
            return true;
        }

        if (!_verified.TryGet(BlockAt(block, level), out byte[]? content))
        {
            digest = default;
            return false;
        }

        digest = content.AsSpan(OffsetOf(Shift(block, level * _perBlockBits)), _digest.Size);
        return true;
    }

    /// <summary>The block of a level that has the hash on the way to a block of data.</summary>
    private ulong BlockAt(ulong block, int level) => _levelStart[level] + Shift(block, (level + 1) * _perBlockBits);

    private static ulong Shift(ulong value, int bits) => bits >= 64 ? 0 : value >> bits;
}
