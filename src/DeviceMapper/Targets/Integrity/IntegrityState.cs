using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Integrity;

/// <summary>
/// Opening, resuming and suspending an integrity device: what becomes of journal, bitmap and superblock (the kernel's <c>dm_integrity_resume</c> and
/// <c>dm_integrity_postsuspend</c>). Used by the target's thread alone, after the constructor.
/// </summary>
internal sealed class IntegrityState : IDisposable
{
    private readonly IntegrityDevice _device;
    private readonly IntegritySuperblock _superblock;

    /// <summary>Opens the device, and formats it where it is blank.</summary>
    /// <exception cref="DmException">EINVAL, EILSEQ, EIO, EOPNOTSUPP, ENOMEM: of superblock, journal and recalculation.</exception>
    public IntegrityState(IntegrityDevice device)
    {
        _device = device;
        _superblock = device.Superblock;
        device.Open();
        AllowRecalculation();
        Journal = new Journal(device);
        Bitmap = device.Options.Mode == 'B' ? new DirtyBitmap(device, Journal.Memory) : null;
        Recalculation = new Recalculation(device, Bitmap);
    }

    /// <summary>The journal; in other modes than J, what another mode left of one.</summary>
    public Journal Journal { get; }

    /// <summary>The bitmap of mode B.</summary>
    public DirtyBitmap? Bitmap { get; }

    /// <summary>The recalculation of tags.</summary>
    public Recalculation Recalculation { get; }

    /// <summary>Writes journal and superblock of a blank device.</summary>
    /// <exception cref="DmException">They cannot be written.</exception>
    public void Format()
    {
        if (!_device.IsBlank)
        {
            return;
        }

        Journal.Format();
        _device.FailUnlessOk("writing the superblock", _device.Failure == BioStatus.Ok ? _device.WriteSuperblock() : BioStatus.Ok);
        if (_device.Failure != BioStatus.Ok)
        {
            throw new DmException(_device.Failure.ToErrno(), "integrity: the blank device cannot be formatted: journal or superblock cannot be written");
        }
    }

    /// <summary>Brings everything to where bios may come.</summary>
    public void Resume()
    {
        ulong before = _superblock.StoredSectors;
        _device.Reopen();
        if (_device.Options.Mode == 'R' || _device.Failure != BioStatus.Ok)
        {
            return;
        }

        Grow(before);
        if (_superblock.Has(IntegrityFlags.DirtyBitmap))
        {
            TakeBitmap();
            _device.SaveSuperblock();
        }
        else
        {
            if (_device.Options.Mode != 'I')
            {
                Journal.Replay(_device.IsBlank);
            }

            Restart(_device.Options.ResetRecalculate);
            if (Bitmap is not null)
            {
                _superblock.Flags |= IntegrityFlags.DirtyBitmap;
                _superblock.StoredLog2BlocksPerBit = Log2BlocksPerBit;
                _device.SaveSuperblock();
                Bitmap.Begin();
            }
        }

        Recalculation.Begin();
    }

    /// <summary>Makes everything durable, and the device one that needs neither replay nor recalculation.</summary>
    public void Suspend()
    {
        Recalculation.End();
        switch (_device.Options.Mode)
        {
            case 'J':
                Journal.Finish();
                break;
            case 'B':
                _device.Flush();
                Journal.Format();
                Journal.SetCurrent();
                _superblock.Flags &= ~IntegrityFlags.DirtyBitmap;
                _device.SaveSuperblock();
                break;
            case 'D':
                _device.Flush();
                break;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Journal.Dispose();

    private int Log2BlocksPerBit => _superblock.Log2SectorsPerBit - _superblock.Log2Block;

    /// <summary>Who could change the superblock could have a keyed hash recalculated with his data: only where that is authenticated, or is asked for.</summary>
    private void AllowRecalculation()
    {
        IntegrityOptions options = _device.Options;
        if (options.Recalculate && !_superblock.Has(IntegrityFlags.Recalculating))
        {
            Restart(true);
        }

        if (!_superblock.Has(IntegrityFlags.Recalculating))
        {
            return;
        }

        if (options.InternalHash is null)
        {
            throw new DmException(Errno.EINVAL, "integrity: recalculate needs internal_hash: nothing else makes the tags");
        }

        bool hash = options.HashAlgorithm!.HasKey;
        bool mac = options.MacAlgorithm?.HasKey ?? false;
        bool forged = _superblock.Has(IntegrityFlags.FixedHmac) ? hash && !mac : hash || mac;
        if (forged && !options.LegacyRecalculate && _superblock.RecalculatedSectors < _superblock.ProvidedSectors)
        {
            throw new DmException(
                Errno.EOPNOTSUPP,
                "integrity: to recalculate a keyed hash lets whoever can write to the device have his data taken for good; legacy_recalculate does it nevertheless");
        }
    }

    private void Restart(bool really)
    {
        if (really)
        {
            _superblock.Flags |= IntegrityFlags.Recalculating;
            _superblock.RecalculatedSectors = 0;
        }
    }

    private void Grow(ulong before)
    {
        if (_superblock.ProvidedSectors == before)
        {
            return;
        }

        if (_superblock.ProvidedSectors > before && _superblock.Has(IntegrityFlags.DirtyBitmap) && _superblock.StoredLog2BlocksPerBit == Log2BlocksPerBit)
        {
            Bitmap?.SetNew(before);
        }

        _superblock.StoredSectors = _superblock.ProvidedSectors;
        _device.SaveSuperblock();
    }

    /// <summary>The device was open in mode B, and was not suspended.</summary>
    private void TakeBitmap()
    {
        bool fits = _superblock.StoredLog2BlocksPerBit == Log2BlocksPerBit && !_device.Options.ResetRecalculate;
        if (Bitmap is null)
        {
            DirtyBitmap left = new(_device, Journal.Memory);
            bool any = left.ReadAny();
            Restart(any || !fits);
            Journal.Format();
            Journal.Replay(isFormatted: true);
            _superblock.Flags &= ~IntegrityFlags.DirtyBitmap;
        }
        else if (fits)
        {
            Restart(Bitmap.Take());
        }
        else
        {
            _superblock.StoredLog2BlocksPerBit = Log2BlocksPerBit;
            Bitmap.SetAll();
            Restart(true);
        }
    }
}
