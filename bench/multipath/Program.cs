using System.Globalization;
using System.Runtime.InteropServices;
using Multipath;

// dotnet run -c Release --project bench/multipath > bench/results/multipath.md: what multipath costs, and how fast it moves. Needs nbdkit.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
Console.WriteLine(
    $"""
    # Multipath

    One run of `dotnet run -c Release --project bench/multipath`: .NET {Environment.Version}, {Environment.ProcessorCount} processors,
    {RuntimeInformation.ProcessArchitecture}, on a machine with a load of {File.ReadAllText("/proc/loadavg").Split(' ')[0]}.
    """);
Choice.Run();
Spread.Run();
Failover.Run();
Console.WriteLine(
    """

    `historical-service-time` needs the time of each I/O at both ends, as the kernel's does, and the two readings of the clock let nothing
    else go on beside them. What the choice costs is told by a clock that costs nothing; it counts the I/O on its path and off again, too, for
    each selector. Like the kernel's, it looks at all good paths for each choice: so do `queue-length` and `service-time`.
    """);
