using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Native;
using DeviceMapper.Targets.Verity;

namespace DeviceMapper.Volumes.Verity;

/// <summary>Makes and checks trees of hashes, as veritysetup's <c>format</c> and <c>verify</c> do.</summary>
public static class VerityTree
{
    /// <summary>Makes the tree of a device.</summary>
    /// <param name="data">What is hashed.</param>
    /// <param name="hashes">Where the tree goes; may be the same stream.</param>
    /// <param name="parameters">Its shape.</param>
    /// <param name="hashStart">The first block of the tree.</param>
    /// <param name="progress">Is told how many blocks of data are done.</param>
    /// <returns>The root hash.</returns>
    /// <exception cref="DmException">ENOENT: there is no such hash. EIO: the data ends before its last block.</exception>
    public static byte[] Build(Stream data, Stream hashes, VeritySuperblock parameters, ulong hashStart, IProgress<ulong>? progress = null)
    {
        using HashTree tree = Layout(parameters, hashStart, []);
        byte[] digest = new byte[tree.DigestSize];
        byte[] block = new byte[parameters.DataBlockSize];
        if (tree.Levels == 0)
        {
            ReadBlock(data, 0, block);
            tree.Hash(block, digest);
            return digest;
        }

        ulong below = parameters.DataBlocks;
        Stream source = data;
        ulong sourceStart = 0;
        for (int level = 0; level < tree.Levels; level++)
        {
            ulong start = tree.LevelStarts[level];
            BuildLevel(tree, source, sourceStart, below, block, hashes, start, level == 0 ? progress : null);
            below = tree.BlocksOfLevel(parameters.DataBlocks, level);
            source = hashes;
            sourceStart = start;
            block = new byte[parameters.HashBlockSize];
        }

        ReadBlock(hashes, sourceStart, block);
        tree.Hash(block, digest);
        return digest;
    }

    /// <summary>Whether a root hash is that of a tree.</summary>
    /// <param name="data">The data: a single block has no tree.</param>
    /// <param name="hashes">Where the tree is.</param>
    /// <param name="parameters">Its shape.</param>
    /// <param name="hashStart">The first block of the tree.</param>
    /// <param name="root">The hash.</param>
    /// <exception cref="DmException">ENOENT: there is no such hash. EIO: the device ends before.</exception>
    public static bool HasRoot(Stream data, Stream hashes, VeritySuperblock parameters, ulong hashStart, byte[] root)
    {
        using HashTree tree = Layout(parameters, hashStart, root);
        byte[] block = new byte[tree.Levels == 0 ? parameters.DataBlockSize : parameters.HashBlockSize];
        ReadBlock(tree.Levels == 0 ? data : hashes, tree.Levels == 0 ? 0 : hashStart, block);
        return root.Length == tree.DigestSize && tree.Matches(block, root);
    }

    /// <summary>The block after a tree.</summary>
    internal static ulong End(VeritySuperblock parameters, ulong hashStart)
    {
        using HashTree tree = Layout(parameters, hashStart, []);
        return tree.End;
    }

    /// <summary>Checks every block of a device and of its tree.</summary>
    /// <param name="data">What is verified.</param>
    /// <param name="hashes">Where the tree is; may be the same stream.</param>
    /// <param name="parameters">Its shape.</param>
    /// <param name="hashStart">The first block of the tree.</param>
    /// <param name="root">The root hash.</param>
    /// <param name="progress">Is told how many blocks of data are done.</param>
    /// <returns>Null where all is good; else a sentence that names the first bad block.</returns>
    public static string? Verify(Stream data, Stream hashes, VeritySuperblock parameters, ulong hashStart, byte[] root, IProgress<ulong>? progress = null)
    {
        using HashTree tree = Layout(parameters, hashStart, root);
        if (root.Length != tree.DigestSize)
        {
            return $"the root hash has {root.Length} bytes, and {parameters.Algorithm} makes {tree.DigestSize}";
        }

        byte[] block = new byte[parameters.DataBlockSize];
        byte[] hashBlock = new byte[parameters.HashBlockSize];
        for (ulong number = 0; number < parameters.DataBlocks; number++)
        {
            ReadOnlySpan<byte> expected;
            while (!tree.TryFind(number, out expected))
            {
                ulong next = tree.NextToRead(number, out ReadOnlySpan<byte> above);
                ReadBlock(hashes, next, hashBlock);
                if (!tree.Matches(hashBlock, above))
                {
                    return $"block {next} of the hash device is corrupt{(next == hashStart ? ", or the root hash is of another device" : "")}";
                }

                tree.Remember(next, hashBlock);
                progress?.Report(number);
            }

            ReadBlock(data, number, block);
            if (!tree.Matches(block, expected))
            {
                return $"block {number} of the data is corrupt";
            }
        }

        return null;
    }

    private static HashTree Layout(VeritySuperblock parameters, ulong hashStart, byte[] root) => new(
        parameters.HashType, Digest.Create(parameters.Algorithm), parameters.Salt, root, parameters.DataBlocks, parameters.HashBlockSize, hashStart);

    private static void BuildLevel(
        HashTree tree, Stream source, ulong sourceStart, ulong count, byte[] block, Stream hashes, ulong start, IProgress<ulong>? progress)
    {
        byte[] hashBlock = new byte[tree.HashBlockSize];
        byte[] digest = new byte[tree.DigestSize];
        for (ulong i = 0; i < count; i++)
        {
            ReadBlock(source, sourceStart + i, block);
            tree.Hash(block, digest);
            int offset = tree.OffsetOf(i);
            if (offset == 0 && i > 0)
            {
                WriteBlock(hashes, start++, hashBlock);
                Array.Clear(hashBlock);
                progress?.Report(i);
            }

            digest.CopyTo(hashBlock, offset);
        }

        WriteBlock(hashes, start, hashBlock);
    }

    private static void ReadBlock(Stream stream, ulong number, byte[] block)
    {
        stream.Position = (long)number * block.Length;
        if (stream.ReadAtLeast(block, block.Length, throwOnEndOfStream: false) < block.Length)
        {
            throw new DmException(Errno.EIO, $"the device ends before block {number}");
        }
    }

    private static void WriteBlock(Stream stream, ulong number, byte[] block)
    {
        stream.Position = (long)number * block.Length;
        stream.Write(block);
    }
}
