using DeviceMapper.Mapping;
namespace DeviceMapper.Backends;
internal sealed class DeviceResolver(DeviceRegistry registry) { public DeviceSpec Resolve(string word, ResolveContext context) => throw new DmException(Native.Errno.ENOENT, $"'{word}' {registry.Major}"); }
