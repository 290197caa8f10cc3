using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace DeviceMapper.Tests.Infrastructure;

/// <summary>Keeps what is logged, as <c>Error: text</c>.</summary>
public sealed class LogCollector : ILogger
{
    private readonly ConcurrentQueue<string> _lines = [];

    /// <summary>All lines up to now.</summary>
    public IReadOnlyList<string> Lines => [.. _lines];

    /// <summary>Forgets all lines.</summary>
    public void Clear() => _lines.Clear();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue($"{logLevel}: {formatter(state, exception)}{(exception is null ? "" : $" ({exception.Message})")}");
}
