namespace DeviceMapper.Nbd.Client;

/// <summary>Ended requests, to be used again.</summary>
internal sealed class RequestPool
{
    private const int Limit = 4096;

    private readonly Lock _lock = new();
    private RemoteRequest? _free;
    private int _count;

    /// <summary>Takes one.</summary>
    public RemoteRequest Rent()
    {
        lock (_lock)
        {
            if (_free is { } request)
            {
                _free = request.Next;
                _count--;
                return request;
            }
        }

        return new RemoteRequest();
    }

    /// <summary>Gives one back.</summary>
    public void Return(RemoteRequest request)
    {
        request.Clear();
        lock (_lock)
        {
            if (_count < Limit)
            {
                request.Next = _free;
                _free = request;
                _count++;
            }
        }
    }
}
