using System.Runtime.InteropServices;

namespace DeviceMapper.Native;

/// <summary>OpenSSL's libcrypto 3: signed messages of PKCS #7 and CMS (man CMS_verify), and what they need of it.</summary>
internal static unsafe partial class LibCryptoCms
{
    /// <summary>CMS_NOINTERN: certificates that the message carries are not looked at.</summary>
    public const uint NotOfMessage = 0x10;

    /// <summary>CMS_NO_SIGNER_CERT_VERIFY: a signer's certificate is trusted as it is, without a chain or a date.</summary>
    public const uint TrustsSigners = 0x20;

    /// <summary>CMS_BINARY: the content is bytes, not lines of text.</summary>
    public const uint Binary = 0x80;

    /// <summary>NID_pkcs7_data: content that is only bytes.</summary>
    public const int Data = 21;

    /// <summary>NID_SMIMECapabilities.</summary>
    public const int SmimeCapabilities = 167;

    private const string Library = "libcrypto.so.3";

    /// <summary>Reads a message of DER, and moves the pointer behind it; 0 where it is none.</summary>
    [LibraryImport(Library, EntryPoint = "d2i_CMS_ContentInfo")]
    public static partial nint ReadMessage(nint reuse, byte** data, nint length);

    /// <summary>Frees a message.</summary>
    [LibraryImport(Library, EntryPoint = "CMS_ContentInfo_free")]
    public static partial void FreeMessage(nint message);

    /// <summary>1: the content is not in the message; 0: it is; less: it is another kind of message.</summary>
    [LibraryImport(Library, EntryPoint = "CMS_is_detached")]
    public static partial int IsDetached(nint message);

    /// <summary>The type of the content, an object; it belongs to the message.</summary>
    [LibraryImport(Library, EntryPoint = "CMS_get0_eContentType")]
    public static partial nint ContentType(nint message);

    /// <summary>The number of an object.</summary>
    [LibraryImport(Library, EntryPoint = "OBJ_obj2nid")]
    public static partial int NumberOf(nint asn1Object);

    /// <summary>A list of those who signed, which belongs to the message; 0 where it is no signed message.</summary>
    [LibraryImport(Library, EntryPoint = "CMS_get0_SignerInfos")]
    public static partial nint Signers(nint message);

    /// <summary>Where a signer has a signed attribute; less than 0 where it has none.</summary>
    [LibraryImport(Library, EntryPoint = "CMS_signed_get_attr_by_NID")]
    public static partial int FindSignedAttribute(nint signer, int number, int after);

    /// <summary>Finds the certificate of each signer in a list; says how many it found.</summary>
    [LibraryImport(Library, EntryPoint = "CMS_set1_signers_certs")]
    public static partial int FindCertificates(nint message, nint certificates, uint flags);

    /// <summary>Verifies the signature of each signer over content that is not in the message; 1 where all are good.</summary>
    [LibraryImport(Library, EntryPoint = "CMS_verify")]
    public static partial int Verify(nint message, nint certificates, nint store, nint content, nint output, uint flags);

    /// <summary>Bytes as a stream of libcrypto, which does not copy them.</summary>
    [LibraryImport(Library, EntryPoint = "BIO_new_mem_buf")]
    public static partial nint NewStream(byte* data, int length);

    /// <summary>Frees a stream.</summary>
    [LibraryImport(Library, EntryPoint = "BIO_free")]
    public static partial int FreeStream(nint stream);

    /// <summary>Reads a certificate of DER, and moves the pointer behind it; 0 where it is none.</summary>
    [LibraryImport(Library, EntryPoint = "d2i_X509")]
    public static partial nint ReadCertificate(nint reuse, byte** data, nint length);

    /// <summary>Frees a certificate.</summary>
    [LibraryImport(Library, EntryPoint = "X509_free")]
    public static partial void FreeCertificate(nint certificate);

    /// <summary>Makes an empty list.</summary>
    [LibraryImport(Library, EntryPoint = "OPENSSL_sk_new_null")]
    public static partial nint NewList();

    /// <summary>Frees a list, and not what is in it.</summary>
    [LibraryImport(Library, EntryPoint = "OPENSSL_sk_free")]
    public static partial void FreeList(nint list);

    /// <summary>Appends to a list; 0 where there is no memory.</summary>
    [LibraryImport(Library, EntryPoint = "OPENSSL_sk_push")]
    public static partial int Append(nint list, nint item);

    /// <summary>How many are in a list; less than 0 where it is 0.</summary>
    [LibraryImport(Library, EntryPoint = "OPENSSL_sk_num")]
    public static partial int Count(nint list);

    /// <summary>What is in a list.</summary>
    [LibraryImport(Library, EntryPoint = "OPENSSL_sk_value")]
    public static partial nint Item(nint list, int index);

    /// <summary>Forgets this thread's errors.</summary>
    [LibraryImport(Library, EntryPoint = "ERR_clear_error")]
    public static partial void ClearErrors();
}
