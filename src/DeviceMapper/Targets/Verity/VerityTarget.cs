using System.Globalization;
using System.Text;
using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Verity;

/// <summary>What is known of a block of data.</summary>
internal enum BlockState
{
    /// <summary>It has its hash, or is taken without.</summary>
    Good,

    /// <summary>Its hash has to be read first.</summary>
    HashUnknown,

    /// <summary>It does not have its hash.</summary>
    Corrupt,
}

/// <summary>
/// A read-only device whose every block is verified by a tree of hashes: <c>verity &lt;version&gt; &lt;data device&gt; &lt;hash device&gt;
/// &lt;data block size&gt; &lt;hash block size&gt; &lt;data blocks&gt; &lt;first hash block&gt; &lt;algorithm&gt; &lt;root hash&gt; &lt;salt&gt;
/// [&lt;#words&gt; &lt;option&gt;...]</c> (drivers/md/dm-verity-target.c).
/// </summary>
public sealed class VerityTarget : Target
{
    private const int MostReports = 100; // of corruption, in the log

    private readonly VerityArguments _verity;
    private readonly VerityOptions _options;
    private readonly byte[] _salt;
    private readonly byte[]? _zeroDigest; // of a block of zeroes, with ignore_zero_blocks
    private readonly ulong[]? _verifiedBlocks; // a bit each, with check_at_most_once
    private readonly ErrorCorrection? _correction;
    private readonly ulong _blockMask; // sectors in a block of data, less one
    private volatile bool _corrupt;
    private int _reports;

    /// <summary>Takes the devices, the shape of the tree, its root, and options.</summary>
    public VerityTarget(TargetArguments arguments)
        : base(arguments)
    {
        _verity = new VerityArguments(arguments);
        _blockMask = (_verity.DataBlockSize >> Sector.Shift) - 1;
        Digest digest = CreateDigest(arguments);
        try
        {
            byte[] root = VerityArguments.Bytes(arguments, 8, "root hash", digest.Size);
            _salt = arguments[9] == "-" ? [] : VerityArguments.Bytes(arguments, 9, "salt", null);
            _options = new VerityOptions(arguments, _verity);
            _options.Signature?.Verify(arguments[8]);
            Tree = new HashTree(_verity.Version, digest, _salt, root, _verity.DataBlocks, _verity.HashBlockSize, _verity.HashStart);
            if (_verity.Hash.Backend.Size.Value / (_verity.HashBlockSize >> Sector.Shift) < Tree.End)
            {
                throw new DmException(Errno.E2BIG, $"verity: the hash device has fewer than the {Tree.End} blocks that the tree needs");
            }

            _correction = _options.CorrectionDevice is null ? null : new ErrorCorrection(arguments, _verity, _options, Tree);
            if (_options.IgnoreZeroBlocks)
            {
                _zeroDigest = new byte[digest.Size];
                Tree.Hash(new byte[_verity.DataBlockSize], _zeroDigest);
            }

            if (_options.CheckAtMostOnce)
            {
                _verifiedBlocks = _verity.DataBlocks <= int.MaxValue
                    ? new ulong[(_verity.DataBlocks + 63) / 64]
                    : throw new DmException(Errno.E2BIG, $"verity: check_at_most_once remembers at most {int.MaxValue} blocks");
            }
        }
        catch
        {
            digest.Dispose();
            throw;
        }

        WantsEnd = true;
    }

    /// <summary>The type <c>verity</c>.</summary>
    public static TargetType Definition { get; } = new(
        "verity",
        new(1, 10, 0),
        "<version> <data device> <hash device> <data block size> <hash block size> <data blocks> <first hash block> <algorithm> <root hash> <salt> [<#words> <option>...]",
        TargetFeatures.Singleton | TargetFeatures.Immutable,
        arguments => new VerityTarget(arguments));

    /// <summary>The tree of hashes.</summary>
    internal HashTree Tree { get; }

    /// <summary>Where the tree is.</summary>
    internal BlockDevice HashDevice => _verity.Hash.Device;

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        ulong offset = OffsetOf(bio.Sector).Value;
        if (bio.Operation != BioOperation.Read || ((offset | bio.Count.Value) & _blockMask) != 0)
        {
            return MapResult.Kill;
        }

        bio.Device = _verity.Data.Device;
        bio.Sector = new Sector(offset);
        bio.ContextValue = offset / (_blockMask + 1);
        return MapResult.Remapped;
    }

    /// <inheritdoc/>
    public override EndResult EndIo(Bio bio, ref BioStatus status)
    {
        if (status != BioStatus.Ok)
        {
            if (_correction is null)
            {
                if (_options.ErrorMode != VerityMode.Fail)
                {
                    Table.RaiseEvent();
                }

                return EndResult.Done;
            }

            VerityRead.Start(this, bio, 0, failed: true);
            return EndResult.Incomplete;
        }

        int count = BlocksIn(bio);
        for (int block = 0; block < count; block++)
        {
            if (Check(bio.ContextValue + (ulong)block, BlockOf(bio, block), failed: false) != BlockState.Good)
            {
                VerityRead.Start(this, bio, block, failed: false);
                return EndResult.Incomplete;
            }
        }

        return EndResult.Done;
    }

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, bool noflush) => text.Append(_corrupt ? 'C' : 'V');

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text)
    {
        text.Append(CultureInfo.InvariantCulture, $"{_verity.Version} {_verity.Data.Name} {_verity.Hash.Name} {_verity.DataBlockSize} {_verity.HashBlockSize}");
        text.Append(CultureInfo.InvariantCulture, $" {_verity.DataBlocks} {_verity.HashStart} {_verity.Algorithm} {Convert.ToHexStringLower(Tree.Root)} ");
        text.Append(_salt.Length == 0 ? "-" : Convert.ToHexStringLower(_salt));
        _options.Append(text);
    }

    /// <inheritdoc/>
    public override void Measure(Measurement measurement)
    {
        measurement.Add("hash_failed", _corrupt ? 'C' : 'V')
            .Add("verity_version", _verity.Version)
            .Add("data_device_name", _verity.Data.Name)
            .Add("hash_device_name", _verity.Hash.Name)
            .Add("verity_algorithm", _verity.Algorithm)
            .Add("root_digest", Convert.ToHexStringLower(Tree.Root))
            .Add("salt", _salt.Length == 0 ? "-" : Convert.ToHexStringLower(_salt))
            .Add("ignore_zero_blocks", _options.IgnoreZeroBlocks)
            .Add("check_at_most_once", _options.CheckAtMostOnce);
        if (_options.Signature is { } signature)
        {
            measurement.Add("root_hash_sig_key_desc", signature.Key);
        }

        if (_options.ModeWord is { } mode)
        {
            measurement.Add("verity_mode", mode);
        }

        if (_options.ErrorModeWord is { } errorMode)
        {
            measurement.Add("verity_error_mode", errorMode);
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas => [new(_verity.Data, default, Length)];

    /// <inheritdoc/>
    public override QueueLimits AdjustLimits(QueueLimits limits)
    {
        uint block = Math.Max(limits.LogicalBlockSize, _verity.DataBlockSize);
        return limits with { LogicalBlockSize = block, PhysicalBlockSize = Math.Max(limits.PhysicalBlockSize, _verity.DataBlockSize), IoMin = block };
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Tree.Dispose();
        base.Dispose();
    }

    /// <summary>How many blocks a bio has.</summary>
    internal int BlocksIn(Bio bio) => (int)(bio.Count.Value / (_blockMask + 1));

    /// <summary>A block of a bio.</summary>
    internal BioBuffer BlockOf(Bio bio, int block) => bio.Buffer.Slice(block * (int)_verity.DataBlockSize, (int)_verity.DataBlockSize);

    /// <summary>Verifies a block by what is known of the tree. Fills it with zeroes where it is known to be that.</summary>
    /// <param name="block">Its number.</param>
    /// <param name="data">Its data.</param>
    /// <param name="failed">The read had an error, so that earlier verification says nothing.</param>
    internal BlockState Check(ulong block, BioBuffer data, bool failed)
    {
        if (_verifiedBlocks is not null && !failed && (Volatile.Read(ref _verifiedBlocks[block / 64]) >> (int)(block % 64) & 1) != 0)
        {
            return BlockState.Good;
        }

        if (!Tree.TryFind(block, out ReadOnlySpan<byte> expected))
        {
            return BlockState.HashUnknown;
        }

        if (_zeroDigest is not null && expected.SequenceEqual(_zeroDigest))
        {
            data.Clear();
            return BlockState.Good;
        }

        return Matches(data, expected) ? MarkVerified(block) : BlockState.Corrupt;
    }

    /// <summary>Makes a block of data good that does not have its hash. May wait.</summary>
    /// <returns>Whether it is good now, or is given out all the same.</returns>
    internal bool RepairData(ulong block, BioBuffer data, bool failed)
    {
        BufferSegment memory = BufferPool.Rent((int)_verity.DataBlockSize);
        try
        {
            Span<byte> content = memory.Span[..(int)_verity.DataBlockSize];
            if (!Tree.TryFind(block, out ReadOnlySpan<byte> expected))
            {
                return false;
            }

            // Read again, since whoever owns the buffer may have written to it meanwhile.
            BioBuffer again = new(memory.Address, content.Length);
            if ((BlockingIo.Read(_verity.Data.Device, new Sector(block * (_blockMask + 1)), again) == BioStatus.Ok && Tree.Matches(content, expected))
                || (_correction is not null && _correction.TryRepair(block, expected, content)))
            {
                data.CopyFrom(content);
                MarkVerified(block);
                return true;
            }
        }
        finally
        {
            BufferPool.Return(memory);
        }

        return !failed && ReportCorruption("data", block);
    }

    /// <summary>Makes a block of the tree good. May wait.</summary>
    /// <returns>Whether it is good now, or is taken all the same.</returns>
    internal bool RepairHash(ulong block, ReadOnlySpan<byte> expected, Span<byte> content, bool wasRead)
    {
        if (_correction?.TryRepair(block - _verity.HashStart + _verity.DataBlocks, expected, content) != true)
        {
            return wasRead && ReportCorruption("metadata", block);
        }

        // The status is C all the same, as the kernel's: its repair looks up the hashes of data blocks, which lead it to this very block again.
        _corrupt = true;
        return true;
    }

    private Digest CreateDigest(TargetArguments arguments)
    {
        Digest digest = Digest.Create(_verity.Algorithm);
        if (digest.Size * 2 > _verity.HashBlockSize)
        {
            digest.Dispose();
            throw arguments.Refuse(7, "algorithm", $"makes hashes of which a block of {_verity.HashBlockSize} bytes does not hold two");
        }

        return digest;
    }

    private bool Matches(BioBuffer data, ReadOnlySpan<byte> expected)
    {
        if (data.IsContiguous)
        {
            return Tree.Matches(data.Span, expected);
        }

        Span<byte> joined = stackalloc byte[data.Length];
        data.CopyTo(joined);
        return Tree.Matches(joined, expected);
    }

    private BlockState MarkVerified(ulong block)
    {
        if (_verifiedBlocks is not null)
        {
            Interlocked.Or(ref _verifiedBlocks[block / 64], 1ul << (int)(block % 64));
        }

        return BlockState.Good;
    }

    /// <summary>Notes that a block is corrupt.</summary>
    /// <returns>Whether it is given out all the same.</returns>
    private bool ReportCorruption(string kind, ulong block)
    {
        _corrupt = true;
        if (Interlocked.Increment(ref _reports) <= MostReports)
        {
            Table.Owner.Logger.BlockIsCorrupt(Table.Owner.Name, kind, block);
        }

        if (_options.Mode is VerityMode.Restart or VerityMode.Panic)
        {
            Table.RaiseEvent();
        }

        return _options.Mode == VerityMode.Ignore;
    }
}
