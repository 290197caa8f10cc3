using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

/// <summary>The suite itself, and the engine under it, with a target that only passes on.</summary>
public sealed class TestTargetTests : DataTargetConformance
{
    protected override string Table => "0 1000 test pass a 24";

    protected override IEnumerable<string> BadTables => ["0 1000 test", "0 1000 nothing a 0", "1 1000 test pass a 0", "0 10 test pass a 0\n11 10 test pass a 0", "0 0 test pass a 0"];

    protected override void AddDevices(TestRegistry registry) => registry.Add("a", 1024);

    protected override (string Device, ulong Sector)? Place(ulong sector) => ("a", sector + 24);
}
