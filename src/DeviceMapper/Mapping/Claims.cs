using DeviceMapper.Backends;
using DeviceMapper.Io;

namespace DeviceMapper.Mapping;

/// <summary>
/// The device mapper's claims on the devices below it: one for each device in the process, counted, shared by all mapped
/// devices and both modes, taken by readers too (the kernel's one claim string in drivers/md/dm.c).
/// </summary>
/// <remarks>With the claim a device that has no number of its own gets one, stable while anybody has it open.</remarks>
internal sealed class Claims(MinorNumbers foreignMinors, uint foreignMajor)
{
    private readonly SharedOpens<DeviceIdentity, Claim> _claims = new();

    /// <summary>The major number of devices that have no number of their own.</summary>
    public uint ForeignMajor => foreignMajor;

    /// <summary>How many devices are claimed.</summary>
    public int Count => _claims.Count;

    /// <summary>Claims a device, or shares the claim that there is.</summary>
    /// <exception cref="DmException">EBUSY: somebody else has claimed it.</exception>
    public Claim Take(DeviceSpec spec, CancellationToken cancellation) =>
        _claims.Get(spec.Identity, () => Open(spec, cancellation), cancellation).Value;

    /// <summary>Drops one use of a claim, and the claim with the last.</summary>
    public void Drop(Claim claim) => _claims.Put(claim.Identity, Close);

    private Claim Open(DeviceSpec spec, CancellationToken cancellation)
    {
        IDisposable hold = spec.Claim(cancellation);
        try
        {
            return spec.Number is { } number
                ? new Claim(spec.Identity, hold, number, null)
                : Numbered(spec, hold, foreignMinors.Take());
        }
        catch
        {
            hold.Dispose();
            throw;
        }
    }

    private Claim Numbered(DeviceSpec spec, IDisposable hold, uint minor) =>
        new(spec.Identity, hold, new DeviceNumber(foreignMajor, minor), minor);

    private void Close(Claim claim)
    {
        if (claim.OwnMinor is { } minor)
        {
            foreignMinors.Free(minor);
        }

        claim.Hold.Dispose();
    }
}

/// <summary>The device mapper's claim on one device.</summary>
/// <param name="Identity">Which device.</param>
/// <param name="Hold">What keeps others out.</param>
/// <param name="Number">The device's number, its own or ours.</param>
/// <param name="OwnMinor">The minor to free with the claim, where the number is ours.</param>
internal sealed record Claim(DeviceIdentity Identity, IDisposable Hold, DeviceNumber Number, uint? OwnMinor);
