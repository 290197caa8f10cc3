using DeviceMapper;
using Udm.Verbs;

namespace Udm.Statistics;

/// <summary>The devices that a command of <c>stats</c> works on: those that are named, or all.</summary>
internal static class StatisticsDevices
{
    /// <summary>Does something to each device. With named ones the first failure is the end; of all of them the others are still worked on.</summary>
    /// <param name="context">The verb's surroundings.</param>
    /// <param name="action">Is given the device and its name as the user wrote it.</param>
    /// <param name="needsAllDevices">Whether all are worked on only with <c>--alldevices</c>.</param>
    /// <exception cref="UsageException">No device is named.</exception>
    public static void ForEach(VerbContext context, Action<DeviceSelector, string?> action, bool needsAllDevices = false)
    {
        IReadOnlyList<string> named = [.. context.Operands.Skip(1)];
        foreach (string name in named)
        {
            action(context.Select(name), name);
        }

        if (named.Count > 0)
        {
            return;
        }

        if (context.IsSelectedByOption)
        {
            action(context.Select(null), null);
            return;
        }

        if (needsAllDevices && !context.Options.Has(Option.AllDevices))
        {
            throw new UsageException("no device is named; --alldevices means all");
        }

        IReadOnlyList<NamedDevice> devices = context.Devices.List();
        if (devices.Count == 0)
        {
            context.Out.WriteLine("No devices found");
        }

        foreach (NamedDevice device in devices)
        {
            try
            {
                context.Device = device.Name;
                action(DeviceSelector.ByName(device.Name, context.Mangling), device.Name);
            }
            catch (Exception problem) when (problem is DmException or VerbException)
            {
                context.Report(problem);
            }
        }
    }
}
