using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DeviceMapper.Io;
using DeviceMapper.Native;
using DeviceMapper.Nbd.Server;

namespace DeviceMapper.Nbd.Tests;

/// <summary>Connections under TLS, with programs of others and with ourselves.</summary>
public sealed class TlsTests : IDisposable
{
    private const int Timeout = 120_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("udm-tls-").FullName;

    public TlsTests() => MakeCertificates(_folder);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact(Timeout = Timeout)]
    public void Nbdinfo_and_nbdcopy_work_under_tls_and_nobody_gets_in_without()
    {
        using ServedRegistry served = new(new NbdEndpoint { Address = new IPEndPoint(IPAddress.Loopback, 0), TlsFolder = _folder });
        served.Create("d");
        int port = ((IPEndPoint)served.Server.Addresses[1]!).Port;
        string uri = $"nbds://localhost:{port}/d?tls-certificates={_folder}";
        Assert.Equal("8388608", ServedRegistry.RunOk("nbdinfo", "--size", uri).Trim());
        string file = Path.Join(_folder, "data");
        File.WriteAllBytes(file, RandomNumberGenerator.GetBytes(8 << 20));
        ServedRegistry.RunOk("nbdcopy", file, uri);
        Assert.True(served.Disk("d").Data[..(8 << 20)].SequenceEqual(File.ReadAllBytes(file)));
        Assert.NotEqual(0, ServedRegistry.Run("nbdinfo", "--size", $"nbd://localhost:{port}/d").Exit);
    }

    [Theory(Timeout = Timeout)]
    [InlineData(true)]
    [InlineData(false)]
    public void Our_client_and_server_agree_and_certificates_are_checked(bool ownCertificate)
    {
        using ServedRegistry server = new(new NbdEndpoint { Address = new IPEndPoint(IPAddress.Loopback, 0), TlsFolder = _folder, VerifyPeer = true });
        server.Create("d");
        string folder = Path.Join(_folder, "client");
        Directory.CreateDirectory(folder);
        File.Copy(Path.Join(_folder, "ca-cert.pem"), Path.Join(folder, "ca-cert.pem"));
        foreach (string file in ownCertificate ? new[] { "client-cert.pem", "client-key.pem" } : [])
        {
            File.Copy(Path.Join(_folder, file), Path.Join(folder, file));
        }

        string uri = $"nbds://localhost:{((IPEndPoint)server.Server.Addresses[1]!).Port}/d?tls-certificates={folder}&connections=2";
        using ServedRegistry served = new();
        if (!ownCertificate)
        {
            Assert.Throws<DmException>(() => served.Registry.Create("m", $"0 16384 linear {uri} 0"));
            return;
        }

        using TestIo io = new(served.Registry.Create("m", $"0 16384 linear {uri} 0"));
        byte[] data = RandomNumberGenerator.GetBytes(3 << 20);
        Assert.Equal(BioStatus.Ok, io.Write(512, data));
        Assert.Equal(data, io.Read(512, data.Length));
        Assert.All(server.Server.Connections, connection => Assert.True(connection.Tls));
    }

    [Fact(Timeout = Timeout)]
    public void A_server_that_another_authority_vouches_for_is_refused()
    {
        using ServedRegistry server = new(new NbdEndpoint { Address = new IPEndPoint(IPAddress.Loopback, 0), TlsFolder = _folder });
        server.Create("d");
        string other = Path.Join(_folder, "other");
        Directory.CreateDirectory(other);
        MakeCertificates(other);
        using ServedRegistry served = new();
        string uri = $"nbds://localhost:{((IPEndPoint)server.Server.Addresses[1]!).Port}/d?tls-certificates={other}";
        Assert.Equal(Errno.EACCES, Assert.Throws<DmException>(() => served.Registry.Create("m", $"0 8 linear {uri} 0")).Errno);
    }

    [Fact(Timeout = Timeout)]
    public void The_client_works_with_nbdkit_under_tls()
    {
        ServedRegistry.SkipWithout("nbdkit");
        TcpListener free = new(IPAddress.Loopback, 0);
        free.Start();
        int port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        using System.Diagnostics.Process kit = System.Diagnostics.Process.Start(
            "nbdkit", ["-f", "-i", "127.0.0.1", "-p", $"{port}", "--tls=require", $"--tls-certificates={_folder}", "memory", "8M"]);
        try
        {
            Assert.True(SpinWait.SpinUntil(() => CanConnect(port), TimeSpan.FromSeconds(30)));
            using ServedRegistry served = new();
            using TestIo io = new(served.Registry.Create("m", $"0 16384 linear nbds://localhost:{port}/?tls-certificates={_folder} 0"));
            byte[] data = RandomNumberGenerator.GetBytes(1 << 20);
            Assert.Equal(BioStatus.Ok, io.Write(4096, data));
            Assert.Equal(data, io.Read(4096, data.Length));
        }
        finally
        {
            kit.Kill();
            kit.WaitForExit();
        }
    }

    [Theory(Timeout = Timeout)]
    [InlineData("tcp://0.0.0.0:1", Errno.EPERM)]
    [InlineData("tcp://[::]:1", Errno.EPERM)]
    [InlineData("tcp://127.0.0.1:1?verify-peer", Errno.EINVAL)]
    [InlineData("tcp://127.0.0.1:1?foo", Errno.EINVAL)]
    [InlineData("http://127.0.0.1", Errno.EINVAL)]
    [InlineData("unix:", Errno.EINVAL)]
    public void Endpoints_that_make_no_sense_or_are_open_to_all_are_refused(string text, Errno errno) =>
        Assert.Equal(errno, Assert.Throws<DmException>(() => NbdEndpoint.Parse(text)).Errno);

    [Fact(Timeout = Timeout)]
    public void Endpoints_are_understood()
    {
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 10809), NbdEndpoint.Parse("tcp://127.0.0.1").Address);
        Assert.Equal(1, NbdEndpoint.Parse("tcp://0.0.0.0:1?plain").Address!.Port);
        Assert.Equal(("/x", true), (NbdEndpoint.Parse("tcp://0.0.0.0:1?tls=/x&verify-peer").TlsFolder, NbdEndpoint.Parse("tcp://0.0.0.0:1?tls=/x&verify-peer").VerifyPeer));
        Assert.Equal("/tmp/s", NbdEndpoint.Parse("unix:/tmp/s").UnixPath);
        Assert.Equal(3, NbdEndpoint.Parse("fd:3").Descriptor);
    }

    private static bool CanConnect(int port)
    {
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static void MakeCertificates(string folder)
    {
        using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN=authority {folder}", authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature, true));
        using X509Certificate2 authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(10));
        File.WriteAllText(Path.Join(folder, "ca-cert.pem"), authority.ExportCertificatePem());
        foreach (string side in new[] { "server", "client" })
        {
            using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            CertificateRequest own = new("CN=localhost", key, HashAlgorithmName.SHA256);
            SubjectAlternativeNameBuilder names = new();
            names.AddDnsName("localhost");
            names.AddIpAddress(IPAddress.Loopback);
            own.CertificateExtensions.Add(names.Build());
            own.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
            using X509Certificate2 certificate = own.Create(authority, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(5), RandomNumberGenerator.GetBytes(8));
            File.WriteAllText(Path.Join(folder, $"{side}-cert.pem"), certificate.ExportCertificatePem());
            File.WriteAllText(Path.Join(folder, $"{side}-key.pem"), key.ExportPkcs8PrivateKeyPem());
        }
    }
}
