namespace DeviceMapper.Backends;

/// <summary>In which table a word names a device.</summary>
/// <param name="scope">What tells the mapped device of the table from all others.</param>
public sealed class ResolveContext(string scope)
{
    private readonly Dictionary<string, DeviceSpec> _found = new(StringComparer.Ordinal);
    private int _memories;

    /// <summary>What tells the mapped device of the table from all others; does not change when it is renamed.</summary>
    public string Scope { get; } = scope;

    /// <summary>
    /// The place of a nameless memory among those of the table, from 0: with <see cref="Scope"/> it is the memory's identity, so
    /// that a reload of the same text keeps the data, and two mentions are two memories.
    /// </summary>
    public int TakeMemoryPlace() => _memories++;

    /// <summary>
    /// What a word led to when it was first looked for: a table of very many lines asks the system for each of its devices once.
    /// </summary>
    internal DeviceSpec FindOnce(string word, Func<string, DeviceSpec> find)
    {
        if (!_found.TryGetValue(word, out DeviceSpec? spec))
        {
            spec = find(word);
            _found.Add(word, spec);
        }

        return spec;
    }
}
