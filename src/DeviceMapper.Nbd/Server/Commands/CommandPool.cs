namespace DeviceMapper.Nbd.Server.Commands;

/// <summary>Ended commands of one kind, to be used again. For the connection's thread only.</summary>
internal sealed class CommandPool<T>(Func<T> make)
    where T : Command
{
    private Command? _free;

    /// <summary>Takes one.</summary>
    public T Rent()
    {
        if (_free is not { } command)
        {
            return make();
        }

        _free = command.Next;
        command.Next = null;
        return (T)command;
    }

    /// <summary>Gives one back.</summary>
    public void Return(T command)
    {
        command.Next = _free;
        _free = command;
    }
}
