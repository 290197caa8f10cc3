using DeviceMapper.Targets.Verity;

namespace DeviceMapper.Volumes.Verity;

/// <summary>Makes the parity that repairs a verity volume, as veritysetup does (cryptsetup, lib/verity/verity_fec.c).</summary>
internal static class VerityParity
{
    /// <summary>How many blocks it covers: the data, and all of the hash device from the tree on, to its end or to the parity itself.</summary>
    /// <param name="dataBlocks">Blocks of data.</param>
    /// <param name="blockSize">Bytes of a block.</param>
    /// <param name="hashStart">The first block of the tree.</param>
    /// <param name="hashEnd">Where what is covered of the hash device ends, in bytes.</param>
    public static ulong CoveredBlocks(ulong dataBlocks, uint blockSize, ulong hashStart, ulong hashEnd) => dataBlocks + (hashEnd / blockSize) - hashStart;

    /// <summary>Blocks of parity for so many covered ones.</summary>
    public static ulong Blocks(ulong covered, int roots) => Rounds(covered, roots) * (ulong)roots;

    /// <summary>Writes it.</summary>
    /// <param name="data">The data.</param>
    /// <param name="hashes">Where the tree is.</param>
    /// <param name="parity">Where it goes, at its place.</param>
    /// <param name="shape">Of data and tree.</param>
    /// <param name="hashStart">The first block of the tree.</param>
    /// <param name="covered">How many blocks are covered.</param>
    /// <param name="roots">Bytes of parity in a codeword.</param>
    /// <param name="progress">Is told how many covered blocks are done.</param>
    public static void Write(
        Stream data, Stream hashes, Stream parity, VeritySuperblock shape, ulong hashStart, ulong covered, int roots, IProgress<ulong>? progress)
    {
        ReedSolomon code = new(roots);
        int blockSize = (int)shape.DataBlockSize;
        int length = ReedSolomon.Length - roots;
        ulong rounds = Rounds(covered, roots);
        byte[] blocks = new byte[length * blockSize];
        byte[] bytes = new byte[roots * blockSize];
        for (ulong round = 0; round < rounds; round++)
        {
            for (int place = 0; place < length; place++)
            {
                ulong index = round + ((ulong)place * rounds);
                Span<byte> block = blocks.AsSpan(place * blockSize, blockSize);
                block.Clear();
                if (index < covered)
                {
                    Stream source = index < shape.DataBlocks ? data : hashes;
                    source.Position = (long)(index < shape.DataBlocks ? index : index - shape.DataBlocks + hashStart) * blockSize;
                    source.ReadAtLeast(block, blockSize, throwOnEndOfStream: false);
                }
            }

            code.Encode(blocks, blockSize, bytes);
            parity.Write(bytes);
            progress?.Report(Math.Min(covered, (round + 1) * (ulong)length));
        }
    }

    private static ulong Rounds(ulong covered, int roots)
    {
        ulong length = (ulong)(ReedSolomon.Length - roots);
        return (covered + length - 1) / length;
    }
}
