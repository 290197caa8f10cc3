using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Thin;

/// <content>The pool's thread, and what is on its way to and from it.</content>
internal sealed partial class ThinPool
{
    private readonly Thread _thread;
    private readonly object _queue = new(); // guards all that follows, but for the outbox
    private readonly Queue<Action> _posted = []; // what the thread is to do, first
    private readonly BioList _deferred = new(); // bios for the thread
    private readonly BioList _held = new(); // bios that wait for a free block
    private readonly List<Action> _outbox = []; // guarded by itself: what is to be done when the metadata's lock is let go
    private readonly List<Action<bool>> _afterCommit = []; // the thread's own: what needs all changes to be durable, and is told whether they are
    private int _jobs; // blocks that are being mapped or unmapped
    private bool _stopping;
    private bool _woken;

    /// <summary>Keeps a bio for the thread.</summary>
    private void Defer(Bio bio)
    {
        lock (_queue)
        {
            _deferred.Add(bio);
            Monitor.PulseAll(_queue);
        }
    }

    /// <summary>Has the thread do something, without the metadata's lock.</summary>
    private void Post(Action action)
    {
        lock (_queue)
        {
            _posted.Enqueue(action);
            Monitor.PulseAll(_queue);
        }
    }

    private void Wake()
    {
        lock (_queue)
        {
            _woken = true;
            Monitor.PulseAll(_queue);
        }
    }

    private void Stop()
    {
        lock (_queue)
        {
            _stopping = true;
            Monitor.PulseAll(_queue);
        }

        _thread.Join();
    }

    private void Run()
    {
        while (true)
        {
            Bio? bio;
            lock (_queue)
            {
                while (_posted.Count == 0 && (_deferred.Count == 0 || _suspended) && !_woken && !_stopping)
                {
                    Monitor.Wait(_queue);
                }

                if (_stopping)
                {
                    return;
                }

                _woken = false;
            }

            RunPosted();
            lock (_queue)
            {
                bio = _suspended ? null : _deferred.TakeAll();
            }

            while (bio is not null)
            {
                Bio? next = bio.Next;
                bio.Next = null;
                Handle(bio);
                bio = next;
            }

            _grace.Advance();
            CommitForWaiting();
        }
    }

    private void RunPosted()
    {
        while (true)
        {
            Action? action;
            lock (_queue)
            {
                if (!_posted.TryDequeue(out action))
                {
                    return;
                }
            }

            action();
        }
    }

    /// <summary>Does what had to wait until all changes are durable: one commit is for all of it.</summary>
    private void CommitForWaiting()
    {
        if (_afterCommit.Count == 0)
        {
            return;
        }

        bool durable = false;
        Change(() => durable = !_metadata.HasChanges || Commit());
        Action<bool>[] actions = [.. _afterCommit];
        _afterCommit.Clear();
        foreach (Action<bool> action in actions)
        {
            action(durable);
        }
    }

    /// <summary>A block begins to be mapped or unmapped.</summary>
    private void BeginJob()
    {
        lock (_queue)
        {
            _jobs++;
        }
    }

    /// <summary>And is done.</summary>
    private void EndJob()
    {
        lock (_queue)
        {
            _jobs--;
            Monitor.PulseAll(_queue);
        }
    }

    /// <summary>Bios that waited for a block are handled again.</summary>
    private void Requeue(Bio? bio)
    {
        lock (_queue)
        {
            while (bio is not null)
            {
                Bio? next = bio.Next;
                _deferred.Add(bio);
                bio = next;
            }

            Monitor.PulseAll(_queue);
        }
    }

    /// <summary>A bio waits for a free block.</summary>
    private void Hold(Bio bio)
    {
        lock (_queue)
        {
            _held.Add(bio);
        }
    }

    /// <summary>Bios that waited for a free block are tried again.</summary>
    private void RetryHeld()
    {
        lock (_queue)
        {
            Requeue(_held.TakeAll());
        }
    }

    /// <summary>Bios that waited for a free block fail. Under the metadata's lock.</summary>
    private void EndHeld(BioStatus status)
    {
        Bio? bio;
        lock (_queue)
        {
            bio = _held.TakeAll();
        }

        while (bio is not null)
        {
            Bio? next = bio.Next;
            bio.Next = null;
            EndLater(bio, status);
            bio = next;
        }
    }

    /// <summary>Ends the bios of one volume that are kept here, with a status: it is to be suspended without them, or to end.</summary>
    public void HandBack(ThinTarget volume, BioStatus status)
    {
        List<Bio> bios = [];
        lock (_queue)
        {
            foreach (BioList list in new[] { _deferred, _held })
            {
                for (Bio? bio = list.TakeAll(), next; bio is not null; bio = next)
                {
                    next = bio.Next;
                    bio.Next = null;
                    if (bio.Target == volume)
                    {
                        bios.Add(bio);
                    }
                    else
                    {
                        list.Add(bio);
                    }
                }
            }
        }

        foreach (Bio bio in bios)
        {
            bio.End(status);
        }
    }

    /// <summary>Raises events, then sends and ends bios. No lock is held.</summary>
    private void Deliver()
    {
        for (int events = Interlocked.Exchange(ref _events, 0); events > 0; events--)
        {
            Owner.RaiseEvent();
        }

        Action[] actions;
        lock (_outbox)
        {
            if (_outbox.Count == 0)
            {
                return;
            }

            actions = [.. _outbox];
            _outbox.Clear();
        }

        foreach (Action action in actions)
        {
            action();
        }
    }

    /// <summary>Does something when the metadata's lock is let go.</summary>
    private void Later(Action action)
    {
        lock (_outbox)
        {
            _outbox.Add(action);
        }
    }

    private void EndLater(Bio bio, BioStatus status) => Later(() => bio.End(status));

    private void SendLater(Bio bio) => Later(bio.Send);
}
