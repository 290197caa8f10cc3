using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Multipath;

/// <content>Messages.</content>
public sealed partial class MultipathTarget
{
    private const string MessageWords =
        "fail_path PATH, reinstate_path PATH, switch_group N, disable_group N, enable_group N, queue_if_no_path, fail_if_no_path";

    /// <summary>
    /// Takes <c>fail_path PATH</c>, <c>reinstate_path PATH</c>, <c>switch_group N</c>, <c>disable_group N</c>, <c>enable_group N</c>,
    /// <c>queue_if_no_path</c> and <c>fail_if_no_path</c>. PATH is a path's number or any word that names its device.
    /// </summary>
    /// <exception cref="DmException">EBUSY: suspended. EINVAL: none of these, no such group, or no such path. Another errno: PATH names nothing.</exception>
    public override string? Message(IReadOnlyList<string> words)
    {
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
                ForPaths(words[1], path => Fail(path, PathFailure.Message, "by a message"));
                break;
            case ("reinstate_path", 2):
                ForPaths(words[1], path => Reinstate(path, "by a message"));
                break;
            default:
                throw new DmException(Errno.EINVAL, $"multipath: message: '{string.Join(' ', words)}' is not one of {MessageWords}");
        }

        return null;
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

    private void ForPaths(string word, Action<MultipathPath> action)
    {
        bool found = false;
        Func<MultipathPath, bool> named = PathsNamed(word);
        foreach (MultipathPath path in _paths)
        {
            if (named(path))
            {
                action(path);
                found = true;
            }
        }

        if (!found)
        {
            throw new DmException(Errno.EINVAL, $"multipath: message: '{word}' is not a path: {string.Join(", ", _paths.Select(p => p.Device.Name).Distinct())}");
        }
    }

    private Func<MultipathPath, bool> PathsNamed(string word)
    {
        if (DeviceNumber.TryParse(word, out DeviceNumber number))
        {
            return path => path.Device.Number == number;
        }

        if (Array.Exists(_paths, p => p.Device.TableDevice.Name == word))
        {
            return path => path.Device.TableDevice.Name == word;
        }

        DeviceSpec spec = Table.Owner.Registry.Resolve(word, new ResolveContext(Table.Owner.Number.ToString()));
        spec.Abandon(); // finding it may have made it: it is to be named, not made
        return path => path.Device.TableDevice.Identity == spec.Identity;
    }
}
