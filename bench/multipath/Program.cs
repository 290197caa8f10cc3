using Multipath;

// dotnet run -c Release --project bench/multipath: what multipath costs, and how fast it moves. The second part needs nbdkit.
Choice.Run();
Failover.Run();
