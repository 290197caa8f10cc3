using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Integrity;

/// <summary>The thread of an integrity target: does, one after the other, the bios that may have to wait; the rest of others, where that may; and what time asks for.</summary>
internal sealed class IntegrityWorker : IDisposable
{
    private static readonly TimeSpan _never = Timeout.InfiniteTimeSpan;

    private readonly IntegrityTarget _target;
    private readonly IntegrityDevice _device;
    private readonly IntegrityState _state;
    private readonly IntegrityIo _io;
    private readonly RangeLocks _ranges;
    private readonly InlineIo _inline;
    private readonly Queue<Bio> _bios = new(256); // also the lock of all that is not readonly here
    private readonly Queue<Bio> _unfinished = new(256); // whose sectors are taken
    private readonly Queue<Action> _steps = [];
    private readonly ITimer _commit;
    private readonly ITimer _clear;
    private readonly Thread _thread;
    private bool _over;
    private bool _commitIsSet; // used by the thread alone
    private bool _clearIsSet;

    public IntegrityWorker(IntegrityTarget target, IntegrityDevice device, IntegrityState state, RangeLocks ranges, InlineIo inline, TimeProvider time)
    {
        _target = target;
        _device = device;
        _state = state;
        _io = new IntegrityIo(device, state);
        _ranges = ranges;
        _inline = inline;
        _commit = time.CreateTimer(_ => Post(CommitByTime), null, _never, _never);
        _clear = time.CreateTimer(_ => Post(ClearByTime), null, _never, _never);
        _thread = new Thread(Run) { IsBackground = true, Name = "udm-integrity" };
        _thread.Start();
    }

    /// <summary>Takes a bio; its sector counts from the target's start.</summary>
    public void Add(Bio bio)
    {
        lock (_bios)
        {
            _bios.Enqueue(bio);
            Monitor.Pulse(_bios);
        }
    }

    /// <summary>Takes a bio of <see cref="InlineIo"/> that has to wait before it can end.</summary>
    public void AddToFinish(Bio bio)
    {
        lock (_bios)
        {
            _unfinished.Enqueue(bio);
            Monitor.Pulse(_bios);
        }
    }

    /// <summary>Sectors that it waits for are free.</summary>
    public void Wake()
    {
        lock (_bios)
        {
            Monitor.Pulse(_bios);
        }
    }

    /// <summary>Has the thread resume the device, and waits for that.</summary>
    public void Resume() => Do(_state.Resume);

    /// <summary>Has the thread suspend the device, and waits for that; no bio is in flight.</summary>
    public void Suspend() => Do(() =>
    {
        SetCommit(false);
        SetClear(false);
        _state.Suspend();
    });

    /// <inheritdoc/>
    public void Dispose()
    {
        _commit.Dispose();
        _clear.Dispose();
        lock (_bios)
        {
            _over = true;
            Monitor.Pulse(_bios);
        }

        _thread.Join();
    }

    private void Post(Action step)
    {
        lock (_bios)
        {
            _steps.Enqueue(step);
            Monitor.Pulse(_bios);
        }
    }

    private void Do(Action step)
    {
        using ManualResetEventSlim done = new();
        Post(() =>
        {
            try
            {
                step();
            }
            finally
            {
                done.Set();
            }
        });
        done.Wait();
    }

    private void Run()
    {
        while (true)
        {
            Bio? unfinished;
            Bio? bio = null;
            Action? step = null;
            lock (_bios)
            {
                while (!_unfinished.TryDequeue(out unfinished) && !(_steps.TryDequeue(out step) | _bios.TryDequeue(out bio)) && !_state.Recalculation.IsUnderWay)
                {
                    if (_over)
                    {
                        return;
                    }

                    Monitor.Wait(_bios);
                }
            }

            if (unfinished is not null)
            {
                Finish(unfinished);
                continue;
            }

            if (step is not null)
            {
                Guard(step);
            }

            if (bio is not null)
            {
                bio.EndMapped(Do(bio));
                Guard(AfterBio);
            }
            else if (step is null)
            {
                if (_over)
                {
                    return;
                }

                Guard(_state.Recalculation.Step);
            }
        }
    }

    /// <summary>Takes sectors, and waits for them; what it waits for may need this thread to come to its end.</summary>
    private void Take(ulong sector, ulong count)
    {
        while (true)
        {
            Bio? unfinished;
            lock (_bios)
            {
                while (!_unfinished.TryDequeue(out unfinished))
                {
                    if (_ranges.TryTakeInTurn(sector, count))
                    {
                        return;
                    }

                    Monitor.Wait(_bios);
                }
            }

            Finish(unfinished);
        }
    }

    private void Finish(Bio bio)
    {
        BioStatus status = BioStatus.Ok;
        try
        {
            _inline.TryEnd(bio, mayWait: true, ref status);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _target.Table.LogTargetBug(_target, e);
            status = BioStatus.IoError;
        }

        _ranges.Release(bio.ContextValue);
        bio.EndMapped(status);
    }

    private BioStatus Do(Bio bio)
    {
        ulong sector = bio.Sector.Value;
        ulong count = bio.Count.Value; // none in a flush
        if (count > 0)
        {
            Take(sector, count);
        }

        try
        {
            BioStatus status = _io.Do(bio);
            return status == BioStatus.Ok ? _device.Failure : status;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _target.Table.LogTargetBug(_target, e);
            return BioStatus.IoError;
        }
        finally
        {
            if (count > 0)
            {
                _ranges.Release(sector);
            }
        }
    }

    private void Guard(Action step)
    {
        try
        {
            step();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _target.Table.LogTargetBug(_target, e);
            _device.FailUnlessOk("a step of the target", BioStatus.IoError);
        }
    }

    /// <summary>Empties the journal in good time, or has it committed later; has bits cleared later.</summary>
    private void AfterBio()
    {
        if (_device.Options.Mode == 'J')
        {
            if (_state.Journal.IsFull)
            {
                _state.Journal.Commit();
                _state.Journal.WriteBack();
            }

            SetCommit(_state.Journal.HasUncommitted);
        }

        if (_io.TakeHasSetBits())
        {
            SetClear(true);
        }
    }

    private void CommitByTime()
    {
        _commitIsSet = false;
        if (_device.Options.Mode == 'J')
        {
            _state.Journal.Commit();
        }
    }

    private void ClearByTime()
    {
        _clearIsSet = false;
        Take(0, ulong.MaxValue);
        _state.Bitmap?.Clear();
        _ranges.Release(0);
    }

    private void SetCommit(bool wanted)
    {
        if (wanted != _commitIsSet)
        {
            _commitIsSet = wanted;
            _commit.Change(wanted ? TimeSpan.FromMilliseconds(Math.Min(_device.Options.CommitTime, int.MaxValue)) : _never, _never);
        }
    }

    private void SetClear(bool wanted)
    {
        if (wanted != _clearIsSet)
        {
            _clearIsSet = wanted;
            _clear.Change(wanted ? TimeSpan.FromMilliseconds(Math.Min(_device.Options.BitmapFlushInterval, int.MaxValue)) : _never, _never);
        }
    }
}
