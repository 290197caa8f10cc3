namespace Udm.Run;

/// <summary>Threads for calls that may take as long as they like; one that has done its call waits for another, as a new one costs more than most calls.</summary>
internal sealed class CallThreads
{
    private readonly Stack<Worker> _idle = [];

    /// <summary>Has a thread of its own do something, at once.</summary>
    public void Run(Action action)
    {
        Worker? worker;
        lock (_idle)
        {
            _idle.TryPop(out worker);
        }

        (worker ?? new Worker(this)).Do(action);
    }

    private sealed class Worker
    {
        private readonly CallThreads _threads;
        private readonly AutoResetEvent _given = new(initialState: false);
        private Action? _action;

        public Worker(CallThreads threads)
        {
            _threads = threads;
            new Thread(Work, maxStackSize: 256 * 1024) { IsBackground = true, Name = "call" }.Start();
        }

        public void Do(Action action)
        {
            _action = action;
            _given.Set();
        }

        private void Work()
        {
            while (true)
            {
                _given.WaitOne();
                _action!();
                _action = null;
                lock (_threads._idle)
                {
                    _threads._idle.Push(this);
                }
            }
        }
    }
}
