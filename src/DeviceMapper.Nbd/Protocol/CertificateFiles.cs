using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DeviceMapper.Native;

namespace DeviceMapper.Nbd.Protocol;

/// <summary>Certificates in a folder, under the names that nbdkit, qemu and libnbd give them.</summary>
internal static class CertificateFiles
{
    /// <summary>Reads <c>SIDE-cert.pem</c> with the key of <c>SIDE-key.pem</c>.</summary>
    /// <param name="folder">Where they are.</param>
    /// <param name="side"><c>server</c> or <c>client</c>.</param>
    /// <exception cref="DmException">ENOENT, EINVAL: one is missing, or is none.</exception>
    public static X509Certificate2 Read(string folder, string side)
    {
        string certificate = Path.Join(folder, $"{side}-cert.pem"), key = Path.Join(folder, $"{side}-key.pem");
        try
        {
            return X509Certificate2.CreateFromPemFile(certificate, key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DmException(Errno.ENOENT, $"TLS: '{certificate}' and '{key}' cannot be read", e);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new DmException(Errno.EINVAL, $"TLS: '{certificate}' and '{key}' are not a certificate and its key", e);
        }
    }

    /// <summary>Whether a side's certificate is in the folder.</summary>
    public static bool Exist(string folder, string side) => File.Exists(Path.Join(folder, $"{side}-cert.pem"));

    /// <summary>Reads <c>ca-cert.pem</c>.</summary>
    /// <exception cref="DmException">ENOENT, EINVAL: it is needed and missing, or is none.</exception>
    public static X509Certificate2Collection ReadAuthority(string folder, bool needed)
    {
        string file = Path.Join(folder, "ca-cert.pem");
        X509Certificate2Collection authorities = [];
        try
        {
            if (needed || File.Exists(file))
            {
                authorities.ImportFromPemFile(file);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DmException(Errno.ENOENT, $"TLS: '{file}' cannot be read", e);
        }
        catch (CryptographicException e)
        {
            throw new DmException(Errno.EINVAL, $"TLS: '{file}' is not a certificate", e);
        }

        return !needed || authorities.Count > 0 ? authorities : throw new DmException(Errno.EINVAL, $"TLS: '{file}' has no certificate");
    }

    /// <summary>Whether a certificate is valid now, and signed by an authority or by one that this has signed.</summary>
    public static bool IsSignedBy(X509Certificate2 certificate, X509Certificate2 authority)
    {
        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(certificate);
    }
}
