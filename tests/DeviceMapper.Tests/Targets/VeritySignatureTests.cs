using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DeviceMapper.Cryptography;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Tests.Infrastructure;

namespace DeviceMapper.Tests.Targets;

/// <summary>verity's <c>root_hash_sig_key_desc</c>: only what somebody who is trusted has signed opens. Signatures are made by openssl.</summary>
public sealed class VeritySignatureTests : IDisposable
{
    private const string Smime = "smime -sign -nocerts -noattr -binary";
    private static readonly RSA _trustedKey = RSA.Create(2048);

    private readonly string _folder = Directory.CreateTempSubdirectory("udm-signature-").FullName;
    private readonly string _key = $"signature-{Guid.NewGuid():N}";
    private readonly X509Certificate2 _trusted;

    public VeritySignatureTests() => _trusted = MakeSigner("trusted", _trustedKey);

    public void Dispose()
    {
        Keyring.Remove("user", _key);
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(Smime)]
    [InlineData("smime -sign -noattr -binary")] // carries its certificate, which is the trusted one
    [InlineData("smime -sign -nocerts -noattr -binary -md sha512")]
    [InlineData("cms -sign -nocerts -binary -nosmimecap")]
    [InlineData("cms -sign -nocerts -noattr -binary -keyid")]
    public void A_root_hash_that_is_signed_opens(string how)
    {
        using TestRegistry registry = NewRegistry(_trusted);
        string table = Table(registry, out string root);
        Give(Sign(how, "trusted", root));
        MappedDevice device = registry.Create("m", table, DeviceMode.ReadOnly);
        Assert.Equal(table, TestRegistry.TableOf(device));
        Assert.Equal(registry["a"].Data[..(300 * 4096)], TestBio.Read(device, 0, 300 * 8));
        Keyring.Remove("user", _key);
        Assert.Equal(Errno.ENOKEY, Assert.Throws<DmException>(() => device.LoadTable(table, DeviceMode.ReadOnly)).Errno); // each load looks it up
    }

    [Fact]
    public void Of_several_certificates_any_signer_is_taken()
    {
        X509Certificate2 other = MakeSigner("other", ECDsa.Create(ECCurve.NamedCurves.nistP256));
        using TestRegistry registry = NewRegistry(_trusted, other);
        string table = Table(registry, out string root);
        Give(Sign(Smime, "other", root));
        registry.Create("m", table, DeviceMode.ReadOnly);
    }

    [Fact]
    public void The_table_shows_the_key_after_all_other_options()
    {
        using TestRegistry registry = NewRegistry(_trusted);
        string table = Table(registry, out string root), mine = $"2 root_hash_sig_key_desc {_key}";
        Give(Sign(Smime, "trusted", root));
        MappedDevice device = registry.Create("m", table.Replace(mine, $"3 ROOT_HASH_SIG_KEY_DESC {_key} ignore_zero_blocks", StringComparison.Ordinal), DeviceMode.ReadOnly);
        Assert.EndsWith($" 3 ignore_zero_blocks root_hash_sig_key_desc {_key}", TestRegistry.TableOf(device));
    }

    [Fact]
    public void What_is_signed_are_the_digits_that_the_table_has()
    {
        using TestRegistry registry = NewRegistry(_trusted);
        string table = Table(registry, out string root), upper = table.Replace(root, root.ToUpperInvariant(), StringComparison.Ordinal);
        Give(Sign(Smime, "trusted", root.ToUpperInvariant()));
        AssertRefused(registry, table, Errno.EKEYREJECTED, "is a signature of something else, or damaged");
        registry.Create("upper", upper, DeviceMode.ReadOnly);
    }

    [Theory]
    [InlineData(Smime, "trusted", "another root", Errno.EKEYREJECTED, "is a signature of something else, or damaged")]
    [InlineData("cms -sign -nocerts -binary -nosmimecap", "trusted", "another root", Errno.EKEYREJECTED, "is a signature of something else, or damaged")]
    [InlineData(Smime, "stranger", "", Errno.ENOKEY, "is of somebody whose certificate is not trusted")]
    [InlineData("smime -sign -noattr -binary", "stranger", "", Errno.ENOKEY, "is of somebody whose certificate is not trusted")]
    [InlineData("smime -sign -noattr -binary", "impostor", "", Errno.EKEYREJECTED, "is a signature of something else, or damaged")]
    [InlineData("cms -sign -nocerts -noattr -binary -keyid", "impostor", "", Errno.ENOKEY, "is of somebody whose certificate is not trusted")]
    [InlineData("smime -sign -nocerts -binary", "trusted", "", Errno.EKEYREJECTED, "has S/MIME capabilities, which the kernel does not take")]
    [InlineData("smime -sign -nocerts -noattr -binary -nodetach", "trusted", "", Errno.EBADMSG, "holds what was signed")]
    public void Other_signatures_are_refused_and_nothing_is_left(string how, string signer, string content, Errno errno, string sentence)
    {
        using TestRegistry registry = NewRegistry(_trusted);
        string table = Table(registry, out string root);
        MakeSigner("stranger", ECDsa.Create(ECCurve.NamedCurves.nistP256));
        MakeSigner("impostor", ECDsa.Create(ECCurve.NamedCurves.nistP256), name: "trusted"); // of the same name and number as who is trusted
        Give(Sign(how, signer, content.Length == 0 ? root : content));
        AssertRefused(registry, table, errno, sentence);
    }

    [Fact]
    public void All_who_signed_have_to_be_trusted()
    {
        MakeSigner("stranger", ECDsa.Create(ECCurve.NamedCurves.nistP256));
        using TestRegistry registry = NewRegistry(_trusted);
        string table = Table(registry, out string root);
        Give(Sign($"{Smime} -signer {_folder}/stranger.pem -inkey {_folder}/stranger.key", "trusted", root));
        AssertRefused(registry, table, Errno.ENOKEY, "is of somebody whose certificate is not trusted");
    }

    [Fact]
    public void Without_certificates_or_without_a_key_the_sentence_says_so()
    {
        using TestRegistry registry = NewRegistry();
        string table = Table(registry, out string root);
        AssertRefused(registry, table, Errno.ENOKEY, "is no key");
        Give(Sign(Smime, "trusted", root));
        AssertRefused(registry, table, Errno.ENOKEY, "--verity-certificates");
        Give("no signature"u8);
        AssertRefused(registry, table, Errno.EBADMSG, "is no signature");
    }

    /// <summary>Bytes changed at random: there are some that no signature is over; all others are refused, and nothing crashes.</summary>
    [Fact]
    public void A_damaged_signature_is_refused()
    {
        using TestRegistry registry = NewRegistry(_trusted);
        string table = Table(registry, out string root);
        byte[] good = Sign(Smime, "trusted", root);
        for (int bit = 0; bit < 256 * 8; bit += 37)
        {
            byte[] changed = [.. good];
            changed[good.Length - 1 - (bit / 8)] ^= (byte)(1 << (bit % 8)); // the last 256 bytes are the signature itself
            Give(changed);
            AssertRefused(registry, table, Errno.EKEYREJECTED, "is a signature of something else, or damaged");
        }

        Random random = new(1);
        Errno[] errnos = [Errno.EBADMSG, Errno.EINVAL, Errno.ENOKEY, Errno.EKEYREJECTED];
        MappedDevice device = registry.Registry.Create("m");
        for (int round = 0; round < 300; round++)
        {
            byte[] changed = good[..(round % 4 == 0 ? random.Next(1, good.Length) : good.Length)];
            for (int n = random.Next(0, 4); n >= 0; n--)
            {
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            }

            Give(changed);
            try
            {
                device.LoadTable(table, DeviceMode.ReadOnly);
                Assert.Equal(good.Length, changed.Length);
                Assert.Equal(good[^256..], changed[^256..]);
            }
            catch (DmException e)
            {
                Assert.Contains(e.Errno, errnos);
            }
        }
    }

    private static TestRegistry NewRegistry(params IReadOnlyList<X509Certificate2> certificates) => new(verityCertificates: certificates);

    private static void AssertRefused(TestRegistry registry, string table, Errno errno, string sentence)
    {
        MappedDevice device = registry.Registry.Create("refused");
        DmException refusal = Assert.Throws<DmException>(() => device.LoadTable(table, DeviceMode.ReadOnly));
        Assert.Contains(sentence, refusal.Message);
        Assert.StartsWith("verity: argument 13 (signature): 'signature-", refusal.Message);
        Assert.Equal(errno, refusal.Errno);
        registry.Registry.Remove(device);
        registry.AssertNothingLeft();
    }

    private string Table(TestRegistry registry, out string root)
    {
        string table = VerityTargetTests.Format(registry, new());
        root = table.Split(' ')[^2];
        return $"{table} 2 root_hash_sig_key_desc {_key}";
    }

    private void Give(ReadOnlySpan<byte> signature) => Keyring.Add("user", _key, signature);

    /// <summary>Makes a certificate that has signed itself, and files NAME.pem and NAME.key.</summary>
    private X509Certificate2 MakeSigner(string file, AsymmetricAlgorithm key, string? name = null)
    {
        X500DistinguishedName subject = new($"CN={name ?? file}");
        CertificateRequest request = key is RSA rsa
            ? new(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new(subject, (ECDsa)key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        X509SignatureGenerator generator = key is RSA
            ? X509SignatureGenerator.CreateForRSA((RSA)key, RSASignaturePadding.Pkcs1)
            : X509SignatureGenerator.CreateForECDsa((ECDsa)key);
        DateTimeOffset from = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero); // long over: dates do not count
        X509Certificate2 certificate = request.Create(subject, generator, from, from.AddYears(1), [1, 2, 3]);
        File.WriteAllText($"{_folder}/{file}.pem", certificate.ExportCertificatePem());
        File.WriteAllText($"{_folder}/{file}.key", key.ExportPkcs8PrivateKeyPem());
        return certificate;
    }

    private byte[] Sign(string how, string signer, string content)
    {
        File.WriteAllText($"{_folder}/content", content);
        using Process openssl = Process.Start(
            "openssl", $"{how} -in {_folder}/content -signer {_folder}/{signer}.pem -inkey {_folder}/{signer}.key -outform der -out {_folder}/signature");
        openssl.WaitForExit();
        Assert.Equal(0, openssl.ExitCode);
        return File.ReadAllBytes($"{_folder}/signature");
    }
}
