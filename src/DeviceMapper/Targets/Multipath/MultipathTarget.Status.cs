using System.Text;

namespace DeviceMapper.Targets.Multipath;

/// <content>Its lines, to the letter the kernel's; each ends with a blank.</content>
public sealed partial class MultipathTarget
{
    private bool _queueIo = true; // the kernel waits for a path's hardware to be initialised: it says so until the first I/O; guarded by _lock

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text)
    {
        lock (_lock)
        {
            _features.Append(text, _queueIfNoPath);
            text.Append($"{_groups.Length} {ShownGroup} ");
            foreach (PriorityGroup group in _groups)
            {
                text.Append($"{group.Selector.Name} ");
                group.Selector.AppendSelf(text);
                text.Append($"{group.Paths.Length} {group.Selector.TableWords} ");
                foreach (MultipathPath path in group.Paths)
                {
                    text.Append($"{path.Name} ");
                    group.Selector.AppendTable(text, path);
                }
            }
        }
    }

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text, bool noflush)
    {
        lock (_lock)
        {
            text.Append($"2 {(_queueIo ? 1 : 0)} 0 0 {_groups.Length} {ShownGroup} ");
            foreach (PriorityGroup group in _groups)
            {
                text.Append(State(group)).Append(' ');
                group.Selector.AppendSelf(text);
                text.Append($"{group.Paths.Length} {group.Selector.StatusWords} ");
                foreach (MultipathPath path in group.Paths)
                {
                    text.Append($"{path.Name} {(path.IsActive ? 'A' : 'F')} {path.FailCount} ");
                    group.Selector.AppendStatus(text, path);
                }
            }
        }
    }

    /// <inheritdoc/>
    public override void Measure(Measurement measurement)
    {
        lock (_lock)
        {
            measurement.Add("nr_priority_groups", _groups.Length);
            for (int i = 0; i < _groups.Length; i++)
            {
                PriorityGroup group = _groups[i];
                measurement.Add($"pg_state_{i}", State(group)).Add($"nr_pgpaths_{i}", group.Paths.Length).Add($"path_selector_name_{i}", group.Selector.Name);
                for (int j = 0; j < group.Paths.Length; j++)
                {
                    MultipathPath path = group.Paths[j];
                    measurement.Add($"path_name_{i}_{j}", path.Name)
                        .Add($"is_active_{i}_{j}", path.IsActive ? 'A' : 'F')
                        .Add($"fail_count_{i}_{j}", path.FailCount)
                        .Add($"path_selector_status_{i}_{j}", ""); // no selector of the kernel tells IMA anything
                }
            }
        }
    }

    private char State(PriorityGroup group) => group.IsBypassed ? 'D' : group == _current ? 'A' : 'E';

    private int ShownGroup => (_next ?? _current)?.Number ?? (_groups.Length > 0 ? 1 : 0);
}
