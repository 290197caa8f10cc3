using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Udm.Verbs;

namespace Udm.Daemon;

/// <summary>The certificates of <c>--verity-certificates</c>.</summary>
internal static class TrustedCertificates
{
    /// <summary>Reads them.</summary>
    /// <param name="file">A file of PEM; none are trusted where it is null.</param>
    /// <exception cref="VerbException">The file cannot be read, or has none.</exception>
    public static IReadOnlyList<X509Certificate2> Read(string? file)
    {
        if (file is null)
        {
            return [];
        }

        X509Certificate2Collection certificates = [];
        try
        {
            certificates.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VerbException($"--verity-certificates: {e.Message}");
        }
        catch (CryptographicException)
        {
            throw new VerbException($"--verity-certificates: '{file}' has a certificate that is damaged");
        }

        return certificates.Count > 0 ? [.. certificates] : throw new VerbException($"--verity-certificates: '{file}' has no certificate in PEM");
    }
}
