using System.Security.Cryptography.X509Certificates;
using System.Text;
using DeviceMapper.Cryptography;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Verity;

/// <summary>
/// The signature of a root hash, which lies in a keyring as a key of type <c>user</c> (drivers/md/dm-verity-verify-sig.c). It is over the
/// hexadecimal digits of the table.
/// </summary>
internal sealed class RootHashSignature
{
    private const string KeyType = "user";

    private readonly TargetArguments _arguments;
    private readonly int _index;
    private readonly byte[] _bytes;

    /// <summary>Reads it.</summary>
    /// <param name="arguments">The table's line.</param>
    /// <param name="index">The argument that is the name of the key.</param>
    /// <exception cref="DmException">ENOKEY: the keyrings have none of this name.</exception>
    public RootHashSignature(TargetArguments arguments, int index)
    {
        _arguments = arguments;
        _index = index;
        try
        {
            using SecretMemory key = Keyring.Read(KeyType, Key);
            _bytes = key.Span.ToArray();
        }
        catch (DmException e)
        {
            throw Refuse(e.Errno, $"is no key: {e.Message}", e);
        }
    }

    /// <summary>The name of the key.</summary>
    public string Key => _arguments[_index];

    /// <summary>Verifies that it is over a root hash, and of somebody who is trusted.</summary>
    /// <exception cref="DmException">EBADMSG, EINVAL: it is no signature. ENOKEY: its signer is not trusted. EKEYREJECTED: it is wrong.</exception>
    public void Verify(string rootHash)
    {
        IReadOnlyList<X509Certificate2> trusted = _arguments.Table.Owner.Registry.Options.VerityCertificates;
        try
        {
            using DetachedSignature signature = new(_bytes);
            if (trusted.Count == 0)
            {
                throw new DmException(Errno.ENOKEY, "cannot be checked: there are no certificates to trust; udm daemon --verity-certificates FILE names them");
            }

            signature.Verify(Encoding.ASCII.GetBytes(rootHash), trusted);
        }
        catch (DmException e)
        {
            throw Refuse(e.Errno, e.Message, e);
        }
    }

    private DmException Refuse(Errno errno, string reason, DmException inner)
    {
        DmException refusal = _arguments.Refuse(_index, "signature", reason);
        return new DmException(errno, refusal.Message, inner) { Argument = refusal.Argument };
    }
}
