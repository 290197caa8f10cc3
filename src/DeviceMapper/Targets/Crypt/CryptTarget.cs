using System.Globalization;
using System.Text;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Crypt;

/// <summary>
/// Encryption of a device: <c>crypt &lt;cipher&gt; &lt;key&gt; &lt;IV offset&gt; &lt;device&gt; &lt;offset&gt; [&lt;#options&gt; &lt;option&gt;...]</c>
/// (drivers/md/dm-crypt.c).
/// </summary>
public sealed class CryptTarget : Target
{
    /// <summary>The largest bio, so that the pool has buffers for the ciphertext.</summary>
    private static readonly SectorCount _largestIo = SectorCount.FromBytes(BufferPool.MaxLength);

    private readonly string _cipherText;
    private readonly CryptOptions _options;
    private readonly CryptKey _key;
    private readonly DataCipher _cipher;
    private readonly ulong _ivOffset;
    private readonly DeviceReference _device;
    private readonly Sector _start; // on the device, of the target's first sector
    private readonly ulong _sectorMask; // sectors of 512 bytes in one that is encrypted at once, less one
    private IntegrityProfile? _tags; // of the device, where they are used
    private bool _suspended;

    /// <summary>Takes cipher, key, offset of the vectors, device, offset there, and options.</summary>
    public CryptTarget(TargetArguments arguments)
        : base(arguments)
    {
        arguments.Expect(5, int.MaxValue);
        _cipherText = arguments[0];
        try
        {
            _key = new CryptKey(arguments[1]);
            _options = new CryptOptions(arguments);
            CipherSpecification specification = CipherSpecification.Parse(_cipherText, _options.IsAuthenticated);
            int keySize = _key.Bytes.Length;
            _cipher = _options.IsAuthenticated
                ? new AuthenticatedCipher(specification, _options.SectorSize, _options.LargeIvSectors, keySize, _options.AuthenticationKeySize)
                : new CryptCipher(specification, _options.SectorSize, _options.LargeIvSectors, keySize);
            TakeKey(arguments[1]);
            _sectorMask = ((ulong)_options.SectorSize >> Sector.Shift) - 1;
            _ivOffset = arguments.Number(2, "IV offset", "a sector number");
            if ((_ivOffset & _sectorMask) != 0)
            {
                throw arguments.Refuse(2, "IV offset", $"is not a multiple of the {_sectorMask + 1} sectors of 512 bytes in one of {_options.SectorSize}");
            }

            _cipher.IvOffset = _ivOffset;
            _device = arguments.Device(3);
            _start = arguments.Sector(4, "offset");
            if (_options.IsAuthenticated || _cipher.StoredIvSize != 0)
            {
                UseTags(arguments);
            }
        }
        catch
        {
            Dispose();
            throw;
        }

        MaxIo = _largestIo;
        FlushBios = 1;
        DiscardBios = _options.AllowDiscards ? 1 : 0;
        WantsEnd = true;
    }

    /// <summary>The type <c>crypt</c>.</summary>
    public static TargetType Definition { get; } = new(
        "crypt",
        new(1, 28, 0),
        "<cipher> <key> <IV offset> <device> <offset> [<#options> <option>...]",
        TargetFeatures.None,
        arguments => new CryptTarget(arguments));

    /// <summary>What it does to the data.</summary>
    internal DataCipher Cipher => _cipher;

    /// <inheritdoc/>
    public override MapResult Map(Bio bio)
    {
        SectorCount offset = OffsetOf(bio.Sector);
        bool aligned = ((bio.Sector.Value | bio.Count.Value) & _sectorMask) == 0;
        bio.Device = _device.Device;
        bio.Sector = _start + offset;
        if (!bio.HasData)
        {
            return MapResult.Remapped;
        }

        if (!aligned)
        {
            return MapResult.Kill;
        }

        bio.ContextValue = _ivOffset + offset.Value;
        if (_cipher.TagStride != 0)
        {
            bio.Tags = BioTags.Rent(_tags!, bio.Buffer.Length);
            bio.TagsOffset = 0;
        }

        return bio.Operation == BioOperation.Read ? MapResult.Remapped : MapWrite(bio);
    }

    /// <inheritdoc/>
    public override EndResult EndIo(Bio bio, ref BioStatus status)
    {
        BioTags? tags = bio.Tags;
        if (bio.Operation == BioOperation.Write)
        {
            BufferPool.Return(new BufferSegment(bio.Buffer.Address, (int)bio.ContextValue));
        }
        else if (bio.Operation == BioOperation.Read && status == BioStatus.Ok)
        {
            if (bio.Buffer.Length >= CryptWork.SmallestBio)
            {
                CryptWork.Decrypt(this, bio, bio.ContextValue);
                return EndResult.Incomplete;
            }

            if (_cipher.Decrypt(bio.Buffer, bio.ContextValue, SpanOf(tags)) is >= 0 and int wrong)
            {
                TagIsWrong(bio.ContextValue + ((ulong)wrong >> Sector.Shift));
                status = BioStatus.Protection;
            }
        }

        tags?.Return();
        return EndResult.Done;
    }

    /// <inheritdoc/>
    public override void Postsuspend() => _suspended = true;

    /// <inheritdoc/>
    public override void Preresume()
    {
        if (!_key.IsValid)
        {
            throw new DmException(Errno.EAGAIN, "crypt: the key was wiped, and none has been set since: send the message 'key set KEY' first");
        }
    }

    /// <inheritdoc/>
    public override void Resume() => _suspended = false;

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text)
    {
        text.Append(_cipherText).Append(' ');
        _key.Append(text);
        text.Append(CultureInfo.InvariantCulture, $" {_ivOffset} {_device.Name} {_start}");
        _options.Append(text);
    }

    /// <inheritdoc/>
    public override void Measure(Measurement measurement)
    {
        _options.Measure(measurement);
        measurement.Add("cipher_string", _cipherText).Add("key_size", _key.Bytes.Length);
        _cipher.Measure(measurement);
    }

    /// <inheritdoc/>
    public override string? Message(IReadOnlyList<string> words)
    {
        if (words.Count < 2 || !Is(words[0], "key"))
        {
            throw new DmException(Errno.EINVAL, "crypt: its messages are 'key set KEY' and 'key wipe'");
        }

        if (!_suspended)
        {
            throw new DmException(Errno.EINVAL, "crypt: the key changes only while the device is suspended: suspend it first");
        }

        if (words.Count == 3 && Is(words[1], "set"))
        {
            if (CryptKey.SizeOf(words[2]) is int size && size != _key.Bytes.Length)
            {
                throw new DmException(Errno.EINVAL, $"crypt: the key has {size} bytes, and the one before had {_key.Bytes.Length}: the size may not change");
            }

            TakeKey(words[2]);
        }
        else if (words.Count == 2 && Is(words[1], "wipe"))
        {
            _key.Wipe();
            _cipher.WipeKey(_key.Bytes.Span);
            _key.Bytes.Clear();
        }
        else
        {
            throw new DmException(Errno.EINVAL, "crypt: its messages are 'key set KEY' and 'key wipe'");
        }

        return null;
    }

    /// <inheritdoc/>
    public override IEnumerable<TargetArea> Areas => [new(_device, _start, Length)];

    /// <inheritdoc/>
    public override QueueLimits AdjustLimits(QueueLimits limits) => limits with
    {
        LogicalBlockSize = Math.Max(limits.LogicalBlockSize, (uint)_options.SectorSize),
        PhysicalBlockSize = Math.Max(limits.PhysicalBlockSize, (uint)_options.SectorSize),
        IoMin = Math.Max(limits.IoMin, (uint)_options.SectorSize),
    };

    /// <inheritdoc/>
    public override void Dispose()
    {
        // The constructor calls it too, with what it got until then.
        _cipher?.Dispose();
        _key?.Dispose();
        base.Dispose();
    }

    /// <summary>Tells of a sector whose tag does not match its data.</summary>
    /// <param name="sector">Its number for its vector.</param>
    internal void TagIsWrong(ulong sector) => Table.Owner.Logger.AuthenticationFailed(Table.Owner.Name, sector - _ivOffset);

    private static Span<byte> SpanOf(BioTags? tags) => tags is null ? default : tags.Memory.Span;

    private static bool Is(string word, string expected) => string.Equals(word, expected, StringComparison.OrdinalIgnoreCase);

    /// <summary>Sends the ciphertext, in a buffer of its own: the submitter's must stay as it is.</summary>
    private MapResult MapWrite(Bio bio)
    {
        BufferSegment ciphertext = BufferPool.Rent(bio.Buffer.Length);
        ulong sector = bio.ContextValue;
        bio.ContextValue = (ulong)ciphertext.Length; // for its return
        if (bio.Buffer.Length >= CryptWork.SmallestBio)
        {
            CryptWork.Encrypt(this, bio, sector, ciphertext.Address);
            return MapResult.Submitted;
        }

        BioBuffer destination = new(ciphertext.Address, bio.Buffer.Length);
        _cipher.Encrypt(bio.Buffer, destination.Span, sector, SpanOf(bio.Tags));
        bio.Buffer = destination;
        return MapResult.Remapped;
    }

    /// <summary>Uses what the integrity device below keeps beside each sector (the kernel's <c>crypt_integrity_ctr</c>).</summary>
    private void UseTags(TargetArguments arguments)
    {
        IntegrityProfile profile = _device.Device.Limits.Integrity ?? throw arguments.Refuse(
            3, "device", "keeps no metadata for tags and vectors: it has to be an integrity device without internal_hash");
        if (profile.TagSize < _options.TagSize)
        {
            throw arguments.Refuse(3, "device", $"keeps {profile.TagSize} bytes for a sector, and the option integrity says {_options.TagSize}");
        }

        if (profile.BlockSize != _options.SectorSize)
        {
            throw arguments.Refuse(3, "device", $"keeps metadata for sectors of {profile.BlockSize} bytes, and crypt has sectors of {_options.SectorSize}");
        }

        _cipher.UseTags(_options.TagSize, profile.TagSize);
        _tags = profile;
    }

    /// <summary>Reads the key that a word stands for, and gives it to the ciphers.</summary>
    private void TakeKey(string word)
    {
        try
        {
            _key.Read(word);
            _cipher.SetKey(_key.Bytes.Span);
        }
        catch (DmException e)
        {
            throw new DmException(e.Errno, $"crypt: argument 2 (key): {e.Message}", e);
        }

        _key.IsValid = true;
        if (_key.KeyringName is not null)
        {
            _key.Bytes.Clear(); // the keyring has it
        }
    }
}
