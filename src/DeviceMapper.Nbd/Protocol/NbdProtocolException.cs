namespace DeviceMapper.Nbd.Protocol;

/// <summary>The other side does not keep to the protocol: the connection is closed.</summary>
internal sealed class NbdProtocolException(string sentence) : Exception(sentence);
