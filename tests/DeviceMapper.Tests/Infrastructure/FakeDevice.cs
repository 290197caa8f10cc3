using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Tests.Infrastructure;

/// <summary>A bio as a <see cref="FakeDevice"/> saw it.</summary>
public readonly record struct SeenBio(BioOperation Operation, ulong Sector, ulong Count, BioFlags Flags);

/// <summary>
/// A device for tests: in memory, with everything that can go wrong at the test's word. A table names it by <see cref="Name"/>, options may
/// follow a question mark.
/// </summary>
public sealed partial class FakeDevice
{
    private readonly Lock _lock = new();
    private readonly int[] _open = new int[2];
    private readonly int[] _opened = new int[2];
    private readonly List<SeenBio> _seen = [];
    private readonly List<Bio> _held = [];
    private int _usesAfterClose;

    public FakeDevice(string name, ulong sectors)
    {
        Name = name;
        Data = new byte[sectors * Sector.Size];
        Size = new SectorCount(sectors);
    }

    /// <summary>Another way to the data of a device.</summary>
    public FakeDevice(string name, FakeDevice other)
    {
        Name = name;
        Data = other.Data;
        Size = other.Size;
    }

    /// <summary>Its word in tables.</summary>
    public string Name { get; }

    /// <summary>What is on it. The array does not grow with <see cref="Size"/>.</summary>
    public byte[] Data { get; }

    /// <summary>Its size; may be changed at any time, up to that of <see cref="Data"/>.</summary>
    public SectorCount Size { get; set; }

    /// <summary>Its limits; by default it can do everything, and has a write cache.</summary>
    public QueueLimits Limits { get; set; } = new()
    {
        MaxDiscard = new SectorCount(1 << 22),
        DiscardGranularity = 512,
        MaxWriteZeroes = new SectorCount(1 << 22),
        MaxSecureErase = new SectorCount(1 << 22),
        WriteCache = true,
        Fua = true,
    };

    /// <summary>Its number, where it has one of its own.</summary>
    public DeviceNumber? Number { get; set; }

    /// <summary>Another name of the same device: the identity that it shares.</summary>
    public string? SameAs { get; set; }

    /// <summary>Whether bios are kept in <see cref="Seen"/>. Without it I/O allocates nothing.</summary>
    public bool Recording { get; set; } = true;

    /// <summary>While set, bios wait in <see cref="Held"/> until the test ends them.</summary>
    public bool Holding { get; set; }

    /// <summary>Where bios end on another thread, in another order than they came; inline without it.</summary>
    public ShufflingThread? Later { get; set; }

    /// <summary>Decides how bios end, in place of <see cref="BioStatus.Ok"/>; an error leaves the data untouched.</summary>
    public Func<Bio, BioStatus>? Answer { get; set; }

    /// <summary>What it saw, in order.</summary>
    public IReadOnlyList<SeenBio> Seen
    {
        get
        {
            lock (_lock)
            {
                return [.. _seen];
            }
        }
    }

    /// <summary>The bios that wait, in order of arrival.</summary>
    public IReadOnlyList<Bio> Held
    {
        get
        {
            lock (_lock)
            {
                return [.. _held];
            }
        }
    }

    /// <summary>How often it was used after the table device that it was used by had been closed: a bug.</summary>
    public int UsesAfterClose => Volatile.Read(ref _usesAfterClose);

    /// <summary>A part of its data.</summary>
    public Span<byte> Sectors(ulong sector, ulong count) => Data.AsSpan((int)(sector * Sector.Size), (int)(count * Sector.Size));

    /// <summary>Forgets what it saw.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _seen.Clear();
        }
    }

    /// <summary>Ends one of the bios that wait.</summary>
    public void End(Bio bio)
    {
        lock (_lock)
        {
            Assert.True(_held.Remove(bio), "the bio does not wait");
        }

        Complete(bio);
    }

    /// <summary>Holds no more, and ends the bios that wait, the latest first if so wished.</summary>
    public void EndAll(bool latestFirst = false)
    {
        Bio[] held;
        lock (_lock)
        {
            Holding = false;
            held = [.. _held];
            _held.Clear();
        }

        if (latestFirst)
        {
            Array.Reverse(held);
        }

        foreach (Bio bio in held)
        {
            Complete(bio);
        }
    }

    /// <summary>Waits until a number of bios wait.</summary>
    public void WaitForHeld(int count) => Wait.Until(() => Held.Count >= count, $"{count} bios held by {Name}");

    private void Process(Bio bio)
    {
        if (Recording || Holding)
        {
            lock (_lock)
            {
                if (Recording)
                {
                    _seen.Add(new SeenBio(bio.Operation, bio.Sector.Value, bio.Count.Value, bio.Flags));
                }

                if (Holding)
                {
                    _held.Add(bio);
                    return;
                }
            }
        }

        if (Later is { } later)
        {
            later.Add(this, bio);
        }
        else
        {
            Complete(bio);
        }
    }

    internal void Complete(Bio bio)
    {
        BioStatus status = Check(bio);
        if (status == BioStatus.Ok && Answer is { } answer)
        {
            status = answer(bio);
        }

        if (status == BioStatus.Ok)
        {
            Transfer(bio);
        }

        bio.End(status);
    }

    private BioStatus Check(Bio bio)
    {
        if (bio.Operation == BioOperation.Flush)
        {
            return BioStatus.Ok;
        }

        ulong block = Limits.LogicalBlockSize / Sector.Size;
        return bio.Sector.Value > Size.Value || bio.Count.Value > Size.Value - bio.Sector.Value ? BioStatus.IoError
            : bio.Sector.Value % block != 0 || bio.Count.Value % block != 0 ? BioStatus.Invalid
            : bio.HasData && (ulong)bio.Buffer.Length != bio.Count.Bytes ? BioStatus.Invalid
            : BioStatus.Ok;
    }

    private void Transfer(Bio bio)
    {
        Span<byte> data = bio.Operation == BioOperation.Flush ? default : Sectors(bio.Sector.Value, bio.Count.Value);
        switch (bio.Operation)
        {
            case BioOperation.Read:
                bio.Buffer.CopyFrom(data);
                break;
            case BioOperation.Write:
                bio.Buffer.CopyTo(data);
                break;
            case BioOperation.WriteZeroes:
                data.Clear();
                break;
            case BioOperation.Discard or BioOperation.SecureErase:
                data.Fill(0xDD); // what is read after a discard is not defined
                break;
        }
    }

    /// <summary>An open one.</summary>
    private class Opened(FakeDevice device, DeviceMode mode) : Backend
    {
        private int _closed;

        public override SectorCount Size => device.Size;

        public override QueueLimits Limits => device.Limits;

        public override string? CacheDomain => device.CacheDomain;

        public override void Dispose()
        {
            Assert.Equal(0, Interlocked.Exchange(ref _closed, 1));
            Interlocked.Decrement(ref device._open[(int)mode]);
            device.WhenClosing?.Invoke();
        }

        protected internal override void Process(Bio bio)
        {
            if (Volatile.Read(ref _closed) != 0 || (mode == DeviceMode.ReadOnly && bio.IsWrite))
            {
                Interlocked.Increment(ref device._usesAfterClose);
                bio.End(BioStatus.IoError);
                return;
            }

            if (bio.Connection != 0 && bio.Connection != device._connection)
            {
                bio.End(BioStatus.Transport);
                return;
            }

            device.Process(bio);
        }
    }
}
