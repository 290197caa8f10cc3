using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Fault;

/// <content>Its power: on, cut, on again with what was kept.</content>
public sealed partial class FaultTarget
{
    private readonly List<Bio> _cutOff = []; // in flight at a cut, not to be answered before the power is on; guarded by itself
    private (IReadOnlyList<CachedWrite> Writes, Func<ulong, CachedWrite, bool> IsSuperseded) _lost = ([], (_, _) => false);
    private int _powerChanges;
    private volatile bool _hangsCutOff;

    private int PowerChanges => Volatile.Read(ref _powerChanges);

    private bool HasPower => (PowerChanges & 1) == 0;

    /// <summary>Cuts the power: all I/O fails with EIO until <see cref="PowerOn"/>. Without power nothing happens.</summary>
    /// <param name="hangInFlight">I/O in flight is not answered until then.</param>
    private void CutPower(bool hangInFlight)
    {
        int before = PowerChanges;
        _hangsCutOff = hangInFlight;
        if ((before & 1) != 0 || Interlocked.CompareExchange(ref _powerChanges, before + 1, before) != before)
        {
            return;
        }

        if (_cache is not null)
        {
            _lost = _cache.Lose();
        }

        _log.Add("power", "cut", BioOperation.Write, 0, (ulong)_lost.Writes.Count);
        _delayed.SendAll();
        foreach (Rule rule in _rules.All)
        {
            GoAll(rule.Release());
        }

        Table.RaiseEvent();
    }

    /// <summary>The power is on again, over the durable content and a choice of the rest.</summary>
    /// <returns>What was kept: a line <c>SECTOR+COUNT</c> for each run, counted from the target's first sector.</returns>
    /// <exception cref="DmException">EINVAL: it is on. EIO: what is kept could not be written.</exception>
    private string PowerOn(Keep keep, int atomic)
    {
        if (HasPower)
        {
            throw new DmException(Errno.EINVAL, "fault: the power is on");
        }

        SeededRandom random = SeededRandom.Of(_options.Seed).With("power").With((ulong)PowerChanges);
        IReadOnlyList<SectorRun> runs = PowerLoss.Choose(_lost.Writes, _lost.IsSuperseded, keep, atomic, random).ToRuns();
        BioStatus status = BioStatus.Ok;
        using (ManualResetEventSlim written = new())
        {
            RunWriter.Write(_device.Device, runs, BioFlags.None, result =>
            {
                status = result;
                written.Set();
            });
            written.Wait();
        }

        GC.KeepAlive(_lost);
        if (status != BioStatus.Ok)
        {
            throw new DmException(Errno.EIO, $"fault: what the power cut kept could not be written ({status})");
        }

        _lost = ([], (_, _) => false);
        Interlocked.Increment(ref _powerChanges);
        EndThoseCutOff();
        foreach (SectorRun run in runs)
        {
            _log.Add("power", "kept", BioOperation.Write, run.Sector - _offset.Value, (ulong)run.Data.Length / Io.Sector.Size);
        }

        return string.Concat(runs.Select(r => $"{r.Sector - _offset.Value}+{r.Data.Length / Io.Sector.Size}\n"));
    }

    /// <summary>A bio that was in flight at a cut has come back from below.</summary>
    private EndResult EndCutOff(Bio bio, ref BioStatus status)
    {
        status = BioStatus.IoError;
        if (!_hangsCutOff || _suspending)
        {
            return EndResult.Done;
        }

        lock (_cutOff)
        {
            if (!HasPower)
            {
                _cutOff.Add(bio);
                return EndResult.Incomplete;
            }
        }

        return EndResult.Done;
    }

    private void EndThoseCutOff()
    {
        Bio[] bios;
        lock (_cutOff)
        {
            bios = [.. _cutOff];
            _cutOff.Clear();
        }

        foreach (Bio bio in bios)
        {
            bio.ContextValue = (ulong)PowerChanges; // so that its end is an end
            bio.End(BioStatus.IoError);
        }
    }
}
