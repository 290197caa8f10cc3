using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Multipath;

/// <content>Messages.</content>
public sealed partial class MultipathTarget
{
    private const string MessageWords =
        "fail_path PATH, reinstate_path PATH, switch_group N, disable_group N, enable_group N, queue_if_no_path, fail_if_no_path, probe_paths, show_paths";

    /// <summary>
    /// Takes <c>fail_path PATH</c>, <c>reinstate_path PATH</c>, <c>switch_group N</c>, <c>disable_group N</c>, <c>enable_group N</c>,
    /// <c>queue_if_no_path</c> and <c>fail_if_no_path</c>, and of ours <c>probe_paths</c> and <c>show_paths</c>. PATH is a path's number or any word that names its device.
    /// </summary>
    /// <exception cref="DmException">EBUSY: suspended. EINVAL: none of these, no such group, or no such path. Another errno: PATH names nothing.</exception>
    public override string? Message(IReadOnlyList<string> words)
    {
        if (words is [var only] && only.Equals("show_paths", StringComparison.OrdinalIgnoreCase))
        {
            return Report();
        }

        if (Table.Owner.IsSuspended)
        {
            throw new DmException(Errno.EBUSY, $"multipath: no messages while '{Table.Owner.Name}' is suspended");
        }

        switch (words[0].ToLowerInvariant(), words.Count)
        {
            case ("queue_if_no_path", 1):
                SetQueueIfNoPath(true);
                break;
            case ("fail_if_no_path", 1):
                SetQueueIfNoPath(false);
                break;
            case ("probe_paths", 1):
                ProbePaths();
                break;
            case ("switch_group", 2):
                SwitchTo(GroupOf(words));
                break;
            case ("disable_group", 2):
                Bypass(GroupOf(words), true);
                break;
            case ("enable_group", 2):
                Bypass(GroupOf(words), false);
                break;
            case ("fail_path", 2):
                ForPaths(words[1], path => MarkFailed(path, PathFailure.Message, "by a message"));
                break;
            case ("reinstate_path", 2):
                ForPaths(words[1], ReinstateByMessage);
                break;
            default:
                throw new DmException(Errno.EINVAL, $"multipath: message: '{string.Join(' ', words)}' is not one of {MessageWords}");
        }

        return null;
    }

    private bool ReinstateByMessage(MultipathPath path)
    {
        if (path.Device is null)
        {
            path.Failure = PathFailure.Dead; // no message keeps it from coming back any longer
            throw new DmException(Errno.ENXIO, $"multipath: reinstate_path: '{path.Word}' could not be opened yet: {path.Reason}");
        }

        TakeForTheDisk(path);
        return MarkGood(path, "by a message");
    }

    private void SwitchTo(PriorityGroup group)
    {
        lock (_lock)
        {
            // As in the kernel, which walks the list up to the end: all groups are enabled.
            foreach (PriorityGroup each in _groups)
            {
                each.IsBypassed = false;
            }

            _current = null;
            _next = group;
        }

        Table.RaiseEvent();
    }

    private void Bypass(PriorityGroup group, bool bypass)
    {
        lock (_lock)
        {
            group.IsBypassed = bypass;
            _current = null;
        }

        Table.RaiseEvent();
    }

    private PriorityGroup GroupOf(IReadOnlyList<string> words) =>
        KernelNumber.TryScan(words[1], out uint number) && number >= 1 && number <= _groups.Length
            ? _groups[number - 1]
            : throw new DmException(Errno.EINVAL, $"multipath: {words[0]}: '{words[1]}' is not a group: {(_groups.Length == 0 ? "there is none" : $"1 to {_groups.Length}")}");

    /// <summary>Changes all paths that a word names. That is one event, as in the kernel, which leaves events to a worker.</summary>
    private void ForPaths(string word, Func<MultipathPath, bool> change)
    {
        bool found = false;
        bool changed = false;
        Func<MultipathPath, bool> named = PathsNamed(word);
        foreach (MultipathPath path in _paths)
        {
            if (named(path))
            {
                changed |= change(path);
                found = true;
            }
        }

        if (!found)
        {
            throw new DmException(Errno.EINVAL, $"multipath: message: '{word}' is not a path: {string.Join(", ", _paths.Select(p => p.Name).Distinct())}");
        }

        if (changed)
        {
            Table.RaiseEvent();
        }
    }

    private Func<MultipathPath, bool> PathsNamed(string word)
    {
        if (DeviceNumber.TryParse(word, out DeviceNumber number))
        {
            return path => path.Device?.Number == number;
        }

        if (Array.Exists(_paths, p => p.Word == word || p.Device?.TableDevice.Name == word))
        {
            return path => path.Word == word || path.Device?.TableDevice.Name == word;
        }

        DeviceSpec spec = Table.Owner.Registry.Resolve(word, new ResolveContext(Table.Owner.Number.ToString()));
        spec.Abandon(); // finding it may have made it: it is to be named, not made
        return path => path.Device?.TableDevice.Identity == spec.Identity;
    }
}
