using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Multipath;

/// <summary>Paths of equal worth, with their selector (the kernel's <c>struct priority_group</c>).</summary>
/// <remarks>I/O goes to one group until that has no path left, or a message names another.</remarks>
internal sealed class PriorityGroup
{
    private const uint MostPaths = 1024;
    private const uint MostPathWords = 1024;

    /// <summary>Reads <c>&lt;selector&gt; &lt;#selector words&gt; word... &lt;#paths&gt; &lt;#path words&gt; (&lt;device&gt; word...)...</c></summary>
    public PriorityGroup(int number, ArgumentCursor arguments, MultipathFeatures features, NanosecondClock clock)
    {
        Number = number;
        if (arguments.Left < 2)
        {
            throw arguments.Refuse($"priority group {number} is incomplete: a path selector and the number of its words expected");
        }

        Selector = PathSelector.Create(arguments);
        int paths = (int)arguments.Number("number of paths", 1, MostPaths);
        int words = (int)arguments.Number("number of words of each path", 0, MostPathWords);
        Paths = new MultipathPath[paths];
        for (int i = 0; i < paths; i++)
        {
            if (arguments.Left < 1 + words)
            {
                throw arguments.Refuse($"priority group {number} announces {paths} paths with {words} words each; at path {i + 1} {arguments.Left} words are left");
            }

            (string word, DeviceReference? device, string reason) = arguments.Device("path", features.AllowDeadPaths);
            Paths[i] = new MultipathPath(this, i, word, device) { Reason = reason, Since = clock.UtcNow };
            Selector.Add(Paths[i], arguments.Range(words));
            if (device is null)
            {
                Paths[i].Failure = PathFailure.Dead;
                Selector.Fail(Paths[i]);
            }
        }
    }

    /// <summary>Its number, from 1.</summary>
    public int Number { get; }

    /// <summary>Disabled by a message: used only when no other group has a path.</summary>
    public bool IsBypassed { get; set; }

    /// <summary>How a path is chosen.</summary>
    public PathSelector Selector { get; }

    /// <summary>Its paths, in the table's order.</summary>
    public MultipathPath[] Paths { get; }
}
