namespace DeviceMapper.Fuse;

/// <summary>Ended requests of one kind, to be used again, so that a read or write allocates nothing.</summary>
internal sealed class RequestPool<T>
    where T : class, new()
{
    private readonly Lock _lock = new();
    private readonly T[] _free = new T[1024];
    private int _count;

    public T Rent()
    {
        lock (_lock)
        {
            if (_count > 0)
            {
                return _free[--_count];
            }
        }

        return new T();
    }

    public void Return(T request)
    {
        lock (_lock)
        {
            if (_count < _free.Length)
            {
                _free[_count++] = request;
            }
        }
    }
}
