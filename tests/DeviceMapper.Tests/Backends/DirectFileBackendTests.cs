using DeviceMapper.Backends;

namespace DeviceMapper.Tests.Backends;

/// <summary>A file past the page cache.</summary>
public class DirectFileBackendTests : FileBackendTests
{
    protected override string Options => "&direct=on";

    [Fact]
    public void Goes_past_the_page_cache() => Assert.True(((FileBackend)Backend).IsDirect);
}

/// <summary>A file past the page cache, by the threads that submit.</summary>
public sealed class ThreadsDirectFileBackendTests : DirectFileBackendTests
{
    protected override string Options => "&direct=on&aio=threads";
}

/// <summary>A file past the page cache, by an io_uring.</summary>
public sealed class RingDirectFileBackendTests : DirectFileBackendTests
{
    protected override string Options => "&direct=on&aio=io_uring";
}

/// <summary>A file through the page cache, by an io_uring.</summary>
public sealed class RingFileBackendTests : FileBackendTests
{
    protected override string Options => "&aio=io_uring";
}
