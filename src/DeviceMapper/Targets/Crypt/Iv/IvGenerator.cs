using DeviceMapper.Cryptography;

namespace DeviceMapper.Targets.Crypt.Iv;

/// <summary>
/// Makes the initialisation vector of a sector, and in a few formats changes the data too (the kernel's <c>crypt_iv_operations</c>).
/// Used by many threads at once.
/// </summary>
internal abstract class IvGenerator : IDisposable
{
    /// <summary>Whether the methods that take data do something to it or need it: it is then copied before it is encrypted.</summary>
    public virtual bool TakesData => false;

    /// <summary>Bytes of the vector that are kept in the metadata of the device below; 0 where it can be made again.</summary>
    public virtual int StoredSize => 0;

    /// <summary>Takes what it needs of a new key: all of the target's, with the parts that no cipher uses.</summary>
    public virtual void TakeKey(ReadOnlySpan<byte> key)
    {
    }

    /// <summary>Forgets the key.</summary>
    public virtual void WipeKey()
    {
    }

    /// <summary>Fills the vector of a sector.</summary>
    /// <param name="sector">Its number, with the offset of the target.</param>
    /// <param name="iv">As long as the cipher's.</param>
    public abstract void Generate(ulong sector, Span<byte> iv);

    /// <summary>Before a sector is encrypted; may change it.</summary>
    public virtual void BeforeEncryption(ulong sector, Span<byte> iv, Span<byte> plaintext) => Generate(sector, iv);

    /// <summary>After a sector was encrypted; may change it.</summary>
    public virtual void AfterEncryption(ulong sector, Span<byte> ciphertext)
    {
    }

    /// <summary>Before a sector is decrypted; may change it.</summary>
    public virtual void BeforeDecryption(ulong sector, Span<byte> iv, Span<byte> ciphertext) => Generate(sector, iv);

    /// <summary>After a sector was decrypted; may change it.</summary>
    public virtual void AfterDecryption(ulong sector, Span<byte> plaintext)
    {
    }

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }

    /// <summary>Makes the generator of a name.</summary>
    /// <param name="name">As the cipher's specification has it.</param>
    /// <param name="layout">The cipher, and the parts of the key, which some generators change.</param>
    /// <exception cref="DmException">EINVAL: there is none, or it does not fit the cipher.</exception>
    public static IvGenerator Create(string name, KeyLayout layout) => name switch
    {
        "plain" => new PlainIv(),
        "plain64" or "essiv" => new Plain64Iv(), // of essiv, the cipher does the rest
        "plain64be" => new Plain64BeIv(),
        "benbi" => new BenbiIv(layout),
        "null" => new NullIv(),
        "eboiv" => new EboivIv(layout),
        "elephant" => new ElephantIv(layout),
        "lmk" => new LmkIv(layout),
        "tcw" => new TcwIv(layout),
        "random" => new RandomIv(layout),
        _ => throw new DmException(Native.Errno.EINVAL, $"crypt: argument 1 (cipher): '{name}' is not a generator of initialisation vectors: plain, plain64, plain64be, essiv, benbi, null, eboiv, elephant, lmk, tcw, random"),
    };
}
