using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Targets;
using Microsoft.Extensions.Time.Testing;

namespace DeviceMapper.Tests.Infrastructure;

/// <summary>
/// A registry over fake devices. In its tables a word is a <see cref="FakeDevice"/> that the test has added, or
/// <c>/dev/mapper/NAME</c>, or its number; beside all target types there is <c>test</c>, a <see cref="TestTarget"/>, and, with the feature of its name each,
/// <c>singleton</c>, <c>immutable</c>, <c>immutable2</c>, <c>wildcard</c> and <c>writeable</c>. Disposing it sees that nothing is left.
/// </summary>
public sealed class TestRegistry : IDisposable
{
    private readonly ConcurrentDictionary<string, FakeDevice> _devices = new();
    private readonly ConcurrentDictionary<string, TestTargetScript> _scripts = new();

    public TestRegistry(TimeSpan? openTimeout = null, TimeSpan? noSpaceTimeout = null, params IReadOnlyList<X509Certificate2> verityCertificates)
    {
        Registry = new DeviceRegistry(new DeviceRegistryOptions
        {
            Logger = Log,
            Time = Time,
            OpenTimeout = openTimeout ?? TimeSpan.FromSeconds(5),
            NoSpaceTimeout = noSpaceTimeout ?? TimeSpan.FromSeconds(60),
            VerityCertificates = verityCertificates,
            Resolve = Resolve,
            TargetTypes =
            [
                .. TargetTypes.All,
                TestTarget.TypeOf("test", TargetFeatures.None, Script),
                TestTarget.TypeOf("singleton", TargetFeatures.Singleton, Script),
                TestTarget.TypeOf("immutable", TargetFeatures.Immutable, Script),
                TestTarget.TypeOf("immutable2", TargetFeatures.Immutable, Script),
                TestTarget.TypeOf("wildcard", TargetFeatures.Wildcard, Script),
                TestTarget.TypeOf("writeable", TargetFeatures.AlwaysWriteable, Script),
            ],
        });
    }

    /// <summary>The registry.</summary>
    public DeviceRegistry Registry { get; }

    /// <summary>Its clock: stands still unless the test moves it.</summary>
    public FakeTimeProvider Time { get; } = new();

    /// <summary>What it logged.</summary>
    public LogCollector Log { get; } = new();

    /// <summary>The devices that were added.</summary>
    public IEnumerable<FakeDevice> Devices => _devices.Values;

    /// <summary>A device that was added.</summary>
    public FakeDevice this[string name] => _devices[name];

    /// <summary>Adds a device.</summary>
    public FakeDevice Add(string name, ulong sectors = 1024) => Add(new FakeDevice(name, sectors));

    /// <summary>Adds a device.</summary>
    public FakeDevice Add(FakeDevice device)
    {
        Assert.True(_devices.TryAdd(device.Name, device));
        return device;
    }

    /// <summary>What the <c>test</c> targets of a name do.</summary>
    public TestTargetScript Script(string name) => _scripts.GetOrAdd(name, _ => new TestTargetScript());

    /// <summary>Makes a mapped device of a table.</summary>
    public MappedDevice Create(string name, string table, DeviceMode mode = DeviceMode.ReadWrite) => Registry.Create(name, table, mode);

    /// <summary>Loads a table and makes it live.</summary>
    public static void Swap(MappedDevice device, string table, DeviceMode mode = DeviceMode.ReadWrite, SuspendOptions options = SuspendOptions.None)
    {
        device.LoadTable(table, mode);
        device.Resume(options);
    }

    /// <summary>The table of a device as text that can be loaded again; without the blank that ends a line without arguments.</summary>
    public static string TableOf(MappedDevice device, bool inactive = false) => string.Join(
        '\n',
        device.TableTexts(arguments: true, inactive).Select(t => t.Text.Length == 0 ? $"{t.Start} {t.Length} {t.Type}" : $"{t.Start} {t.Length} {t.Type} {t.Text}"));

    /// <summary>Sees that nothing is open, claimed or held, and that no closed device was used. What is abandoned is closed by its own thread, a moment later.</summary>
    public void AssertNothingLeft()
    {
        SpinWait.SpinUntil(() => Registry.Claims.Count == 0 && Devices.All(d => d.OpenNow == 0 && d.Claims == 0), Wait.Limit);
        Assert.Equal(0, Registry.Claims.Count);
        foreach (FakeDevice device in Devices)
        {
            Assert.True(device.OpenNow == 0, $"{device.Name} is open {device.OpenNow} times");
            Assert.True(device.Claims == 0, $"{device.Name} is claimed");
            Assert.Empty(Registry.Holders.Of(device.Spec(null).Identity));
            Assert.True(device.UsesAfterClose == 0, $"{device.Name} was used after its close, or written although open for reading");
        }

        Assert.DoesNotContain(Log.Lines, l => l.Contains("was left with"));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (FakeDevice device in Devices)
        {
            device.LetOpensGo();
            device.EndAll();
        }

        Registry.Dispose();
        AssertNothingLeft();
    }

    private DeviceSpec Resolve(string word, ResolveContext context)
    {
        if (word.StartsWith("/dev/mapper/", StringComparison.Ordinal))
        {
            MappedDevice? mapped = Registry.FindByName(word["/dev/mapper/".Length..]);
            return mapped is null ? throw new DmException(Errno.ENOENT, $"'{word}' is not there") : new MappedSpec(mapped);
        }

        if (DeviceNumber.TryParse(word, out DeviceNumber number) && Registry.FindByNumber(number) is { } found)
        {
            return new MappedSpec(found);
        }

        string[] parts = word.Split('?', 2);
        return _devices.TryGetValue(parts[0], out FakeDevice? device)
            ? device.Spec(parts.Length > 1 ? parts[1] : null)
            : throw new DmException(Errno.ENOENT, $"'{word}' is not there");
    }
}
