using System.Globalization;
using DeviceMapper.Cryptography;
using DeviceMapper.Cryptography.Digests;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Volumes.Verity;

/// <summary>
/// Data, and a tree of its hashes whose root hash is known: as veritysetup makes and opens them. The root hash gives the line of a verity table. Only
/// <see cref="Format"/> writes.
/// </summary>
/// <example>
/// <code>
/// VerityVolume volume = VerityVolume.Format("data.img", "hash.img");   // volume.RootHash has to be kept
/// VerityVolume same = VerityVolume.Open("data.img", "hash.img", volume.RootHash);
/// TableLine line = same.TableLine();                                   // of a read-only table
/// </code>
/// </example>
public sealed class VerityVolume
{
    /// <summary>The type of the key that a signature of the root hash is in a keyring.</summary>
    public const string SignatureType = "user";

    private readonly string _dataPath;
    private readonly string _hashPath;
    private readonly VerityFormat _format;
    private readonly ulong _hashStart;

    private VerityVolume(string data, string hash, byte[] rootHash, VerityFormat format, VeritySuperblock superblock)
    {
        _dataPath = data;
        _hashPath = hash;
        _format = format;
        _hashStart = format.HashStart(superblock.HashBlockSize);
        RootHash = rootHash;
        Superblock = superblock;
    }

    /// <summary>The hash that says all of the data. Who trusts the data has to have it from elsewhere.</summary>
    public byte[] RootHash { get; }

    /// <summary>What the superblock says, or would say if there were one.</summary>
    public VeritySuperblock Superblock { get; }

    /// <summary>A name in a keyring for a signature of the root hash: what <see cref="TableLine"/> takes after <c>root_hash_sig_key_desc</c>.</summary>
    public string SignatureDescription => $"verity:{Superblock.Uuid:D}";

    /// <summary>Blocks of the tree.</summary>
    public ulong HashBlocks => VerityTree.End(Superblock, _hashStart) - _hashStart;

    /// <summary>Makes the tree of a device.</summary>
    /// <param name="data">The path of the file or block device with the data.</param>
    /// <param name="hash">The path of that for the tree; made if it is not there. May be the same, with an offset behind the data.</param>
    /// <param name="format">What the volume shall be like; null: as veritysetup's without options.</param>
    /// <param name="progress">Is told how many blocks of data are done.</param>
    /// <exception cref="DmException">
    /// EBUSY: somebody uses the hash device. EEXIST: there is something already. EINVAL, ENOENT: there is no such volume or hash. Nothing is written then.
    /// EIO, ENOSPC: reading or writing failed.
    /// </exception>
    public static VerityVolume Format(string data, string hash, VerityFormat? format = null, IProgress<ulong>? progress = null) =>
        new VerityFormatting(data, hash, format ?? new VerityFormat()).Run(progress);

    /// <summary>Reads the superblock of a volume.</summary>
    /// <param name="data">The path of the file or block device with the data.</param>
    /// <param name="hash">That with the tree.</param>
    /// <param name="rootHash">The root hash that <see cref="Format"/> gave.</param>
    /// <param name="format">Where superblock and parity lie; all of it for a volume without a superblock.</param>
    /// <exception cref="DmException">EINVAL: there is no superblock, it is damaged, or what was given cannot be. Others: a path cannot be opened.</exception>
    public static VerityVolume Open(string data, string hash, byte[] rootHash, VerityFormat? format = null)
    {
        format ??= new VerityFormat();
        using FileStream hashes = VolumeFile.OpenForReading(hash);
        VeritySuperblock superblock;
        if (format.HasSuperblock)
        {
            superblock = VeritySuperblock.Read(hashes, format.HashOffset);
            format = format with { DataBlockSize = superblock.DataBlockSize, HashBlockSize = superblock.HashBlockSize, Algorithm = superblock.Algorithm };
        }
        else
        {
            superblock = format.Salt is null
                ? throw new DmException(Errno.EINVAL, "the salt has to be given, since no superblock says it")
                : format.ToSuperblock(VolumeFile.SizeOf(data));
        }

        format.Check();
        using Digest digest = Digest.Create(superblock.Algorithm);
        return rootHash.Length == digest.Size
            ? new VerityVolume(data, hash, rootHash, format, superblock)
            : throw new DmException(Errno.EINVAL, $"the root hash has {rootHash.Length} bytes, and {superblock.Algorithm} makes {digest.Size}");
    }

    /// <summary>Reads and checks all of data and tree.</summary>
    /// <param name="progress">Is told how many blocks of data are done.</param>
    /// <returns>Null where all is good; else a sentence that names the first bad block.</returns>
    /// <exception cref="DmException">EIO: a device ends before, or cannot be read.</exception>
    public string? FindCorruption(IProgress<ulong>? progress = null) =>
        Reading((data, hashes) => VerityTree.Verify(data, hashes, Superblock, _hashStart, RootHash, progress));

    /// <summary>The line of the volume's table, which has to be read-only.</summary>
    /// <param name="options">Of the target: <c>ignore_corruption</c>, <c>check_at_most_once</c> and others.</param>
    /// <exception cref="DmException">EINVAL: the device ends before the data does. EPERM: the root hash is not that of the tree; not looked for where options or parity let that be.</exception>
    public TableLine TableLine(params IReadOnlyList<string> options)
    {
        ulong size = VolumeFile.SizeOf(_dataPath), length = Superblock.DataBlocks * Superblock.DataBlockSize;
        if (size < length)
        {
            throw new DmException(Errno.EINVAL, $"'{_dataPath}' has {size} bytes, and the volume {length}: it was cut off, or is another");
        }

        List<string> words = [.. options];
        if (_format.ParityDevice is { } parity)
        {
            ulong end = VolumeFile.AreSame(_hashPath, parity) ? _format.ParityOffset : VolumeFile.SizeOf(_hashPath);
            ulong covered = VerityParity.CoveredBlocks(Superblock.DataBlocks, Superblock.DataBlockSize, _hashStart, end);
            words.AddRange(["use_fec_from_device", Word(parity), "fec_roots", Text(_format.ParityRoots)]);
            words.AddRange(["fec_blocks", Text(covered), "fec_start", Text(_format.ParityOffset / Superblock.DataBlockSize)]);
        }
        else if (!words.Contains("ignore_corruption") && !Reading((data, hashes) => VerityTree.HasRoot(data, hashes, Superblock, _hashStart, RootHash)))
        {
            throw new DmException(Errno.EPERM, $"the root hash is not that of '{_hashPath}': it is of another volume, or the tree was changed");
        }

        string salt = Superblock.Salt.Length == 0 ? "-" : Convert.ToHexStringLower(Superblock.Salt);
        string shape = string.Create(CultureInfo.InvariantCulture, $"{Superblock.DataBlockSize} {Superblock.HashBlockSize} {Superblock.DataBlocks} {_hashStart}");
        string tail = words.Count == 0 ? "" : $" {words.Count} {string.Join(' ', words)}";
        return new TableLine(
            default,
            SectorCount.FromBytes(length),
            "verity",
            $"{Superblock.HashType} {Word(_dataPath)} {Word(_hashPath)} {shape} {Superblock.Algorithm} {Convert.ToHexStringLower(RootHash)} {salt}{tail}");
    }

    /// <summary>A volume that was just made.</summary>
    internal static VerityVolume Made(string data, string hash, byte[] rootHash, VerityFormat format, VeritySuperblock superblock) =>
        new(data, hash, rootHash, format, superblock);

    private static string Word(string path) => TableParser.EscapeWord(Path.GetFullPath(path));

    private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);

    private T Reading<T>(Func<FileStream, FileStream, T> work)
    {
        using FileStream data = VolumeFile.OpenForReading(_dataPath, VerityFormatting.Piece);
        using FileStream hashes = VolumeFile.OpenForReading(_hashPath, (int)Superblock.HashBlockSize);
        try
        {
            return work(data, hashes);
        }
        catch (IOException e)
        {
            throw new DmException(Errno.EIO, $"a device of the volume cannot be read: {e.Message}", e);
        }
    }
}
