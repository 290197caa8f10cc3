namespace DeviceMapper.Nbd.Server;

/// <summary>A connection of an NBD server.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Device">The present name of the device that it uses; null during the handshake.</param>
/// <param name="Peer">The client's address; <c>unix</c> where it comes through a Unix socket.</param>
/// <param name="Tls">Whether it is under TLS.</param>
/// <param name="Requests">How many requests it has made.</param>
public sealed record NbdConnectionInfo(long Id, string? Device, string Peer, bool Tls, long Requests);
