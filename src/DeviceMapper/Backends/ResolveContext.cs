namespace DeviceMapper.Backends;

/// <summary>In which table a word names a device.</summary>
/// <param name="scope">What tells the mapped device of the table from all others.</param>
public sealed class ResolveContext(string scope)
{
    private int _memories;

    /// <summary>What tells the mapped device of the table from all others; does not change when it is renamed.</summary>
    public string Scope { get; } = scope;

    /// <summary>
    /// The place of a nameless memory among those of the table, from 0: with <see cref="Scope"/> it is the memory's identity, so
    /// that a reload of the same text keeps the data, and two mentions are two memories.
    /// </summary>
    public int TakeMemoryPlace() => _memories++;
}
