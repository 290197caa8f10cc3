using DeviceMapper.Native;

namespace DeviceMapper.Volumes.Verity;

/// <summary>Writes the tree, the parity and the superblock of a new volume. All that can be refused is refused before the first write.</summary>
internal sealed class VerityFormatting
{
    /// <summary>Bytes that are read or written at once.</summary>
    public const int Piece = 1 << 20;

    private readonly string _data;
    private readonly string _hash;
    private readonly VerityFormat _format;
    private readonly VeritySuperblock _superblock;
    private readonly ulong _hashStart; // blocks
    private readonly ulong _hashEnd; // bytes

    /// <summary>Checks what was asked for.</summary>
    /// <exception cref="DmException">EINVAL, ENOENT: it cannot be.</exception>
    public VerityFormatting(string data, string hash, VerityFormat format)
    {
        format.Check();
        _data = data;
        _hash = hash;
        _format = format;
        ulong size = VolumeFile.SizeOf(data);
        _superblock = format.ToSuperblock(size);
        _hashStart = format.HashStart(format.HashBlockSize);
        _hashEnd = VerityTree.End(_superblock, _hashStart) * format.HashBlockSize;
        ulong dataEnd = _superblock.DataBlocks * format.DataBlockSize;
        if (dataEnd == 0 || dataEnd > size)
        {
            throw new DmException(Errno.EINVAL, $"'{data}' has {size} bytes, fewer than {(dataEnd == 0 ? $"a block of {format.DataBlockSize}" : $"the {dataEnd} of the volume")}");
        }

        if (VolumeFile.AreSame(data, hash) && format.HashOffset < dataEnd)
        {
            throw new DmException(Errno.EINVAL, $"the hashes would overwrite the data, which ends at byte {dataEnd}: the hash offset {format.HashOffset} is before that");
        }

        if (format.ParityDevice is { } parity)
        {
            ulong least = Math.Max(VolumeFile.AreSame(data, parity) ? dataEnd : 0, VolumeFile.AreSame(hash, parity) || hash == parity ? _hashEnd : 0);
            if (format.ParityOffset < least)
            {
                throw new DmException(Errno.EINVAL, $"the parity would overwrite what it is of, which ends at byte {least}: its offset {format.ParityOffset} is before that");
            }
        }
    }

    /// <summary>Does it.</summary>
    public VerityVolume Run(IProgress<ulong>? progress)
    {
        string[] made = [.. new[] { _hash, _format.ParityDevice }.OfType<string>().Where(path => !File.Exists(path))];
        try
        {
            using FileStream data = VolumeFile.OpenForReading(_data, Piece);
            using FileStream hashes = VolumeFile.OpenForWriting(_hash, mayBeNew: true, bufferSize: Piece);
            using OpenFile claim = VolumeFile.Claim(_hash);
            using FileStream? parity = _format.ParityDevice is null ? null : VolumeFile.OpenForWriting(_format.ParityDevice, mayBeNew: true, bufferSize: Piece);
            using OpenFile? parityClaim = parity is null || ParityIsBehindHashes ? null : VolumeFile.Claim(_format.ParityDevice!);
            if (!_format.Overwrite && !(_format.HasSuperblock && VeritySuperblock.IsThere(hashes, _format.HashOffset)))
            {
                VolumeFile.RequireZeroes(hashes, _hash, _format.HashOffset, _hashEnd - _format.HashOffset);
                if (parity is not null)
                {
                    ulong blocks = VerityParity.Blocks(CoveredBlocks, _format.ParityRoots);
                    VolumeFile.RequireZeroes(parity, _format.ParityDevice!, _format.ParityOffset, blocks * _format.DataBlockSize);
                }
            }

            return Write(data, hashes, parity, progress);
        }
        catch (Exception e) when (e is IOException or DmException)
        {
            foreach (string path in made)
            {
                File.Delete(path);
            }

            throw e as DmException ?? new DmException(Errno.EIO, $"the volume could not be written: {e.Message}", e);
        }
    }

    private bool ParityIsBehindHashes => VolumeFile.AreSame(_hash, _format.ParityDevice!);

    // Once the tree is there: the parity covers the hash device to its end.
    private ulong CoveredBlocks => VerityParity.CoveredBlocks(
        _superblock.DataBlocks,
        _superblock.DataBlockSize,
        _hashStart,
        ParityIsBehindHashes ? _format.ParityOffset : Math.Max(_hashEnd, VolumeFile.SizeOf(_hash)));

    private VerityVolume Write(FileStream data, FileStream hashes, FileStream? parity, IProgress<ulong>? progress)
    {
        byte[] root = VerityTree.Build(data, hashes, _superblock, _hashStart, progress);
        hashes.Flush();
        if (parity is not null)
        {
            parity.Position = (long)_format.ParityOffset;
            VerityParity.Write(data, hashes, parity, _superblock, _hashStart, CoveredBlocks, _format.ParityRoots, progress);
            parity.Flush(flushToDisk: true);
        }

        if (_format.HasSuperblock)
        {
            _superblock.Write(hashes, _format.HashOffset);
            hashes.Flush();
            if (hashes.Length < (long)(_hashStart * _format.HashBlockSize))
            {
                hashes.SetLength((long)(_hashStart * _format.HashBlockSize)); // a single block of data has no tree
            }
        }

        hashes.Flush(flushToDisk: true);
        return VerityVolume.Made(_data, _hash, root, _format, _superblock);
    }
}
