using Udm.Verbs;

namespace Udm.Reports;

/// <summary>A device as <c>info</c> prints it: a line a property, and an empty one.</summary>
internal static class InfoText
{
    /// <summary>Prints it.</summary>
    public static void Write(TextWriter output, DeviceInfo device)
    {
        output.WriteLine($"Name:              {device.Name}");
        output.WriteLine($"State:             {(device.IsSuspended ? "SUSPENDED" : "ACTIVE")}{(device.IsReadOnly ? " (READ-ONLY)" : "")}{(device.IsDeferredRemove ? " (DEFERRED REMOVE)" : "")}");
        if (device.ReadAhead is { } sectors)
        {
            output.WriteLine($"Read Ahead:        {sectors}");
        }

        output.WriteLine($"Tables present:    {Tables(device)}");
        output.WriteLine($"Open count:        {device.OpenCount}");
        output.WriteLine($"Event number:      {device.EventNumber}");
        output.WriteLine($"Major, minor:      {device.Number.Major}, {device.Number.Minor}");
        output.WriteLine($"Number of targets: {device.TargetCount}");
        if (device.Uuid.Length > 0)
        {
            output.WriteLine($"UUID: {device.Uuid}");
        }

        output.WriteLine();
    }

    private static string Tables(DeviceInfo device) => (device.HasLiveTable, device.HasInactiveTable) switch
    {
        (true, true) => "LIVE & INACTIVE",
        (true, false) => "LIVE",
        (false, true) => "INACTIVE",
        _ => "None",
    };
}
