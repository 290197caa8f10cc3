namespace DeviceMapper.Backends;

/// <summary>A kind of device that the words of tables name by a URI, and that lives outside of this library (<c>nbd://</c> in DeviceMapper.Nbd).</summary>
public interface IDeviceScheme
{
    /// <summary>What its words start with: <c>nbd://</c> ...</summary>
    IReadOnlyList<string> Prefixes { get; }

    /// <summary>Finds the device that a word names; opens nothing.</summary>
    /// <exception cref="DmException">EINVAL: the word is not what the scheme expects; the sentence starts with the word.</exception>
    DeviceSpec Resolve(string word, ResolveContext context);
}
