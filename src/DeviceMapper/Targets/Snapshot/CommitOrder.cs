namespace DeviceMapper.Targets.Snapshots;

/// <summary>
/// Puts finished exceptions in the order in which their chunks were taken, so that a run of chunks becomes a run of exceptions
/// (the kernel's <c>out_of_order_tree</c>). Its user locks it.
/// </summary>
internal sealed class CommitOrder
{
    private readonly Dictionary<long, PendingException> _finished = [];
    private long _next;

    /// <summary>An exception's copy has ended.</summary>
    public void Finish(PendingException exception) => _finished.Add(exception.Sequence, exception);

    /// <summary>Takes the next in order; null where that one has not finished.</summary>
    public PendingException? TakeNext()
    {
        if (!_finished.Remove(_next, out PendingException? exception))
        {
            return null;
        }

        _next++;
        return exception;
    }
}
