using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Verity;

/// <summary>
/// Forward error correction of a verity device (drivers/md/dm-verity-fec.c): parity bytes over its data, its tree of hashes, and what follows that.
/// The bytes of a codeword lie as far from one another as possible, each in a block of its own.
/// </summary>
internal sealed class ErrorCorrection
{
    private readonly VerityArguments _verity;
    private readonly VerityOptions _options;
    private readonly HashTree _tree;
    private readonly ReedSolomon _code;
    private readonly int _dataLength; // bytes of a codeword without its parity, and so blocks that belong together
    private readonly ulong _rounds; // codewords that a run of blocks takes turns with, in blocks
    private readonly int _blockSize;

    /// <summary>Takes what the options say, with the kernel's checks in its order.</summary>
    /// <exception cref="DmException">EINVAL, or E2BIG where a device is too small.</exception>
    public ErrorCorrection(TargetArguments arguments, VerityArguments verity, VerityOptions options, HashTree tree)
    {
        _verity = verity;
        _options = options;
        _tree = tree;
        _blockSize = (int)verity.DataBlockSize;
        if (verity.DataBlockSize != verity.HashBlockSize)
        {
            throw arguments.Refuse($"error correction needs blocks of data and of hashes of the same size, not {verity.DataBlockSize} and {verity.HashBlockSize}");
        }

        if (options.Roots == 0)
        {
            throw arguments.Refuse("error correction needs fec_roots");
        }

        if (options.CorrectedBlocks == 0)
        {
            throw arguments.Refuse("error correction needs fec_blocks");
        }

        _dataLength = ReedSolomon.Length - options.Roots;
        _rounds = ((options.CorrectedBlocks - 1) / (ulong)_dataLength) + 1;
        _code = new ReedSolomon(options.Roots);
        if (options.CorrectedBlocks < verity.DataBlocks + (tree.End - verity.HashStart))
        {
            throw arguments.Refuse($"fec_blocks {options.CorrectedBlocks} is fewer than the {verity.DataBlocks} of data and {tree.End - verity.HashStart} of hashes");
        }

        ulong sectors = verity.DataBlockSize >> Sector.Shift;
        if (verity.Hash.Backend.Size.Value / sectors < options.CorrectedBlocks - verity.DataBlocks)
        {
            throw new DmException(Errno.E2BIG, "verity: the hash device is too small for fec_blocks");
        }

        // As the kernel counts since it refuses devices that are too small: a block of parity for each root, in each round.
        ulong size = options.CorrectionDevice!.Backend.Size.Value, start = options.CorrectionStart * sectors;
        if ((size > start ? size - start : 0) / sectors < _rounds * (ulong)options.Roots)
        {
            throw new DmException(Errno.E2BIG, "verity: the device of the parity is too small");
        }

        if (verity.Data.Backend.Size.Value / sectors < verity.DataBlocks)
        {
            throw new DmException(Errno.E2BIG, "verity: the data device is too small for the number of data blocks");
        }
    }

    /// <summary>Makes a block good again. Waits for reads of all blocks that its codewords touch.</summary>
    /// <param name="index">Which block, in the order of the parity: data, then the hash device from the tree's start.</param>
    /// <param name="expected">Its hash.</param>
    /// <param name="content">Where it goes; stays as it is where the answer is false.</param>
    /// <returns>Whether it has its hash now.</returns>
    public bool TryRepair(ulong index, ReadOnlySpan<byte> expected, Span<byte> content)
    {
        if (index >= _options.CorrectedBlocks)
        {
            return false;
        }

        ulong first = index % _rounds; // the first of the blocks that belong together
        int place = (int)(index / _rounds);
        BufferSegment memory = BufferPool.Rent(_dataLength * _blockSize);
        BufferSegment parity = BufferPool.Rent(_options.Roots * _blockSize);
        byte[] repaired = new byte[_blockSize];
        try
        {
            List<int> bad = ReadTogether(first, memory.Span);
            ulong at = (_options.CorrectionStart + (first * (ulong)_options.Roots)) * (ulong)(_blockSize >> Sector.Shift);
            BioBuffer parityBuffer = new(parity.Address, _options.Roots * _blockSize);
            if (BlockingIo.Read(_options.CorrectionDevice!.Device, new Sector(at), parityBuffer) != BioStatus.Ok)
            {
                return false;
            }

            // First without knowing which blocks are bad, since the parity may be as well; then by what is known.
            if (TryDecode(place, [], memory.Span, parity.Span, expected, repaired)
                || (bad.Count <= _options.Roots && TryDecode(place, [.. bad], memory.Span, parity.Span, expected, repaired))
                || TryDecode(place, [place], memory.Span, parity.Span, expected, repaired))
            {
                repaired.CopyTo(content);
                return true;
            }

            return false;
        }
        finally
        {
            BufferPool.Return(memory);
            BufferPool.Return(parity);
        }
    }

    /// <summary>Reads the blocks whose bytes make up codewords.</summary>
    /// <returns>Which of them could not be read, or do not have their hash.</returns>
    private List<int> ReadTogether(ulong first, Span<byte> memory)
    {
        List<int> bad = [];
        for (int place = 0; place < _dataLength; place++)
        {
            ulong index = first + ((ulong)place * _rounds);
            Span<byte> block = memory.Slice(place * _blockSize, _blockSize);
            if (!TryRead(index, block))
            {
                block.Clear();
                bad.Add(place);
            }
            else if (index < _verity.DataBlocks && _tree.TryFind(index, out ReadOnlySpan<byte> digest) && !_tree.Matches(block, digest))
            {
                bad.Add(place);
            }
        }

        return bad;
    }

    private unsafe bool TryRead(ulong index, Span<byte> block)
    {
        if (index >= _options.CorrectedBlocks)
        {
            block.Clear(); // the parity was made as if zeroes followed
            return true;
        }

        bool data = index < _verity.DataBlocks;
        BlockDevice device = data ? _verity.Data.Device : _verity.Hash.Device;
        ulong at = data ? index : index - _verity.DataBlocks + _verity.HashStart;
        fixed (byte* address = block) // native memory of the pool
        {
            return BlockingIo.Read(device, new Sector(at * (ulong)(_blockSize >> Sector.Shift)), new BioBuffer((nint)address, _blockSize)) == BioStatus.Ok;
        }
    }

    private bool TryDecode(int place, ReadOnlySpan<int> erasures, ReadOnlySpan<byte> memory, ReadOnlySpan<byte> parity, ReadOnlySpan<byte> expected, Span<byte> repaired)
    {
        Span<byte> codeword = stackalloc byte[ReedSolomon.Length];
        for (int i = 0; i < _blockSize; i++)
        {
            for (int j = 0; j < _dataLength; j++)
            {
                codeword[j] = memory[(j * _blockSize) + i];
            }

            parity.Slice(i * _options.Roots, _options.Roots).CopyTo(codeword[_dataLength..]);
            if (!_code.TryCorrect(codeword, erasures))
            {
                return false;
            }

            repaired[i] = codeword[place];
        }

        return _tree.Matches(repaired[.._blockSize], expected);
    }
}
