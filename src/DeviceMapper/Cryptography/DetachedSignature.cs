using System.Security.Cryptography.X509Certificates;
using DeviceMapper.Native;

namespace DeviceMapper.Cryptography;

/// <summary>
/// A signature over bytes that it does not contain, as the kernel's <c>verify_pkcs7_signature</c> takes it: a signed message of PKCS #7 or
/// CMS, in DER.
/// </summary>
internal sealed unsafe class DetachedSignature : IDisposable
{
    private readonly nint _message;
    private readonly nint _signers;

    /// <summary>Reads it.</summary>
    /// <exception cref="DmException">EBADMSG, EINVAL, EKEYREJECTED: it is none, or not of a kind that the kernel takes.</exception>
    public DetachedSignature(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            byte* at = start;
            _message = LibCryptoCms.ReadMessage(0, &at, bytes.Length);
        }

        LibCryptoCms.ClearErrors();
        _signers = _message == 0 ? 0 : LibCryptoCms.Signers(_message);
        try
        {
            Check();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Verifies that all who signed are trusted, and signed this. What the message itself carries is trusted for nothing; dates do not count, as in the kernel.</summary>
    /// <param name="content">What was signed.</param>
    /// <param name="trusted">The certificates of those whose signatures count.</param>
    /// <exception cref="DmException">ENOKEY: a signer is not trusted. EKEYREJECTED: they signed something else.</exception>
    public void Verify(ReadOnlySpan<byte> content, IReadOnlyList<X509Certificate2> trusted)
    {
        nint list = LibCryptoCms.NewList();
        nint stream = 0;
        try
        {
            foreach (X509Certificate2 certificate in trusted)
            {
                Append(list, certificate.RawDataMemory.Span);
            }

            if (LibCryptoCms.FindCertificates(_message, list, LibCryptoCms.NotOfMessage) != LibCryptoCms.Count(_signers))
            {
                throw new DmException(Errno.ENOKEY, "is of somebody whose certificate is not trusted");
            }

            fixed (byte* start = content)
            {
                stream = LibCryptoCms.NewStream(start, content.Length);
                const uint Flags = LibCryptoCms.NotOfMessage | LibCryptoCms.TrustsSigners | LibCryptoCms.Binary;
                if (LibCryptoCms.Verify(_message, list, 0, stream, 0, Flags) != 1)
                {
                    throw new DmException(Errno.EKEYREJECTED, "is a signature of something else, or damaged");
                }
            }
        }
        finally
        {
            LibCryptoCms.FreeStream(stream);
            for (int i = 0; i < LibCryptoCms.Count(list); i++)
            {
                LibCryptoCms.FreeCertificate(LibCryptoCms.Item(list, i));
            }

            LibCryptoCms.FreeList(list);
            LibCryptoCms.ClearErrors();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => LibCryptoCms.FreeMessage(_message);

    private static void Append(nint list, ReadOnlySpan<byte> certificate)
    {
        fixed (byte* start = certificate)
        {
            byte* at = start;
            nint read = LibCryptoCms.ReadCertificate(0, &at, certificate.Length);
            if (read == 0 || LibCryptoCms.Append(list, read) == 0)
            {
                LibCryptoCms.FreeCertificate(read);
                throw new DmException(Errno.ENOMEM, "cannot be checked: libcrypto does not take a certificate");
            }
        }
    }

    private void Check()
    {
        int signers = LibCryptoCms.Count(_signers);
        if (signers <= 0)
        {
            throw new DmException(Errno.EBADMSG, "is no signature: no signed message of PKCS #7 in DER");
        }

        if (LibCryptoCms.NumberOf(LibCryptoCms.ContentType(_message)) != LibCryptoCms.Data)
        {
            throw new DmException(Errno.EINVAL, "is of another type of content than data");
        }

        if (LibCryptoCms.IsDetached(_message) != 1)
        {
            throw new DmException(Errno.EBADMSG, "holds what was signed: it has to be detached");
        }

        for (int i = 0; i < signers; i++)
        {
            if (LibCryptoCms.FindSignedAttribute(LibCryptoCms.Item(_signers, i), LibCryptoCms.SmimeCapabilities, -1) >= 0)
            {
                throw new DmException(Errno.EKEYREJECTED, "has S/MIME capabilities, which the kernel does not take: make it with -noattr");
            }
        }
    }
}
