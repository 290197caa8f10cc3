using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Tests.Infrastructure;

/// <content>Claims and opens: counted, and made to fail or hang.</content>
public sealed partial class FakeDevice
{
    private readonly ManualResetEventSlim _opensGo = new(true);
    private readonly ManualResetEventSlim _claimsGo = new(true);
    private readonly ManualResetEventSlim _openBegan = new();
    private readonly ManualResetEventSlim _claimBegan = new();
    private DeviceMode? _hangingMode;
    private int _claims;
    private int _claimed;

    /// <summary>Whether claim and open run on a thread of their own, within the time limit.</summary>
    public bool MayHang { get; set; }

    /// <summary>Whether an open or claim that hangs ends with its token, as a well-behaved one does.</summary>
    public bool EndsWhenCancelled { get; set; } = true;

    /// <summary>What a claim throws.</summary>
    public Exception? ClaimFailure { get; set; }

    /// <summary>What an open throws.</summary>
    public Exception? OpenFailure { get; set; }

    /// <summary>What an open in one mode throws.</summary>
    public (DeviceMode Mode, Exception Exception)? OpenFailureIn { get; set; }

    /// <summary>Called while it is being closed; may throw.</summary>
    public Action? WhenClosing { get; set; }

    /// <summary>Called while it is being opened; may throw.</summary>
    public Action? WhenOpening { get; set; }

    /// <summary>The file that finding it made was taken back: how often.</summary>
    public int Abandoned { get; private set; }

    /// <summary>How often it is claimed now: 0 or 1.</summary>
    public int Claims => Volatile.Read(ref _claims);

    /// <summary>How often it was claimed in all.</summary>
    public int TotalClaims => Volatile.Read(ref _claimed);

    /// <summary>How often it is open now, in both modes.</summary>
    public int OpenNow => OpenIn(DeviceMode.ReadOnly) + OpenIn(DeviceMode.ReadWrite);

    /// <summary>How often it was opened in all.</summary>
    public int TotalOpens => OpenedIn(DeviceMode.ReadOnly) + OpenedIn(DeviceMode.ReadWrite);

    /// <summary>How often it is open now in a mode.</summary>
    public int OpenIn(DeviceMode mode) => Volatile.Read(ref _open[(int)mode]);

    /// <summary>How often it was opened in a mode in all.</summary>
    public int OpenedIn(DeviceMode mode) => Volatile.Read(ref _opened[(int)mode]);

    /// <summary>From now on opens hang, or those in one mode, until <see cref="LetOpensGo"/>.</summary>
    public void HangOpens(DeviceMode? only = null)
    {
        MayHang = true;
        _hangingMode = only;
        _openBegan.Reset();
        _opensGo.Reset();
    }

    /// <summary>From now on claims hang, until <see cref="LetOpensGo"/>.</summary>
    public void HangClaims()
    {
        MayHang = true;
        _claimBegan.Reset();
        _claimsGo.Reset();
    }

    /// <summary>Opens and claims that hang go on.</summary>
    public void LetOpensGo()
    {
        _opensGo.Set();
        _claimsGo.Set();
    }

    /// <summary>Waits until an open hangs.</summary>
    public void WaitForOpen() => Wait.For(_openBegan.WaitHandle, $"an open of {Name}");

    /// <summary>Waits until a claim hangs.</summary>
    public void WaitForClaim() => Wait.For(_claimBegan.WaitHandle, $"a claim of {Name}");

    /// <summary>It, as a table names it.</summary>
    internal DeviceSpec Spec(string? options) => new Found(this, options);

    private void Hang(ManualResetEventSlim began, ManualResetEventSlim go, CancellationToken cancellation)
    {
        if (!go.IsSet)
        {
            began.Set();
            go.Wait(EndsWhenCancelled ? cancellation : CancellationToken.None);
        }
    }

    private IDisposable Claim(CancellationToken cancellation)
    {
        Hang(_claimBegan, _claimsGo, cancellation);
        if (ClaimFailure is { } failure)
        {
            throw failure;
        }

        Interlocked.Increment(ref _claimed);
        Assert.Equal(1, Interlocked.Increment(ref _claims)); // the device mapper's one claim
        return new Claimed(this);
    }

    private Opened Open(DeviceMode mode, CancellationToken cancellation)
    {
        Assert.Equal(1, Claims); // an open comes after the claim
        if ((_hangingMode ?? mode) == mode)
        {
            Hang(_openBegan, _opensGo, cancellation);
        }

        WhenOpening?.Invoke();
        if (OpenFailure is { } failure)
        {
            throw failure;
        }

        if (OpenFailureIn is { } one && one.Mode == mode)
        {
            throw one.Exception;
        }

        Interlocked.Increment(ref _opened[(int)mode]);
        Interlocked.Increment(ref _open[(int)mode]);
        return IsWatched ? new WatchedOpened(this, mode) : new Opened(this, mode);
    }

    private sealed class Claimed(FakeDevice device) : IDisposable
    {
        public void Dispose() => Assert.Equal(0, Interlocked.Decrement(ref device._claims));
    }

    private sealed class Found(FakeDevice device, string? options) : DeviceSpec
    {
        public override DeviceIdentity Identity => new("fake", device.SameAs ?? device.Name);

        public override string Name => device.Name;

        public override DeviceNumber? Number => device.Number;

        public override bool MayHang => device.MayHang;

        public override IDisposable Claim(CancellationToken cancellation) => device.Claim(cancellation);

        public override Backend Open(DeviceMode mode, CancellationToken cancellation) => device.Open(mode, cancellation);

        public override string? ApplyOptions(Backend open) => options is null ? null : $"'{device.Name}' is open already, without '{options}'";

        public override void Abandon() => device.Abandoned++;
    }
}
