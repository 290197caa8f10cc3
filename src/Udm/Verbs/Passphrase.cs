using System.Security.Cryptography;
using DeviceMapper;
using DeviceMapper.Cryptography;
using DeviceMapper.Native;
using Microsoft.Win32.SafeHandles;
using Udm.Native;

namespace Udm.Verbs;

/// <summary>Where a passphrase comes from: a key file, the terminal without echo, or the first line of standard input.</summary>
internal static class Passphrase
{
    private const int Longest = 8 << 20; // bytes of a key file, as cryptsetup's

    /// <summary>Reads it.</summary>
    /// <param name="context">The verb's surroundings; <c>--key-file</c> names a file, all of which is taken, <c>-</c> for standard input.</param>
    /// <param name="prompt">What a terminal is asked.</param>
    public static SecretMemory Read(VerbContext context, string prompt)
    {
        string? file = context.Options.Value(Option.KeyFile);
        if (file is null && context.InputIsTerminal)
        {
            return ReadFromTerminal(context, prompt);
        }

        return ReadFile(file);
    }

    /// <summary>Reads a file that holds a key.</summary>
    /// <param name="file">Its path, or <c>-</c> for standard input: all of it. Null: the first line of standard input.</param>
    public static SecretMemory ReadFile(string? file)
    {
        try
        {
            using Stream stream = file is null or "-" ? Console.OpenStandardInput() : new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            return ReadFrom(stream, firstLine: file is null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DmException(e is UnauthorizedAccessException ? Errno.EACCES : Errno.ENOENT, $"the key file '{file}' cannot be read", e);
        }
    }

    /// <summary>Reads one that is to be set: from a terminal twice, as nobody sees what is typed.</summary>
    public static SecretMemory ReadNew(VerbContext context, string prompt)
    {
        SecretMemory passphrase = Read(context, prompt);
        try
        {
            if (passphrase.Length == 0)
            {
                throw new VerbException("an empty passphrase protects nothing");
            }

            if (context.InputIsTerminal && context.Options.Value(Option.KeyFile) is null)
            {
                using SecretMemory again = Read(context, "The same again: ");
                if (!CryptographicOperations.FixedTimeEquals(passphrase.Span, again.Span))
                {
                    throw new VerbException("the passphrases differ");
                }
            }

            return passphrase;
        }
        catch
        {
            passphrase.Dispose();
            throw;
        }
    }

    private static SecretMemory ReadFrom(Stream stream, bool firstLine)
    {
        byte[] bytes = GC.AllocateArray<byte>(Longest + 1, pinned: true); // pinned: no copy of it is left elsewhere
        try
        {
            int length = 0;
            int end = -1;
            while (end < 0 && length < bytes.Length && stream.Read(bytes, length, bytes.Length - length) is > 0 and int read)
            {
                length += read;
                end = firstLine ? bytes.AsSpan(0, length).IndexOf((byte)'\n') : -1;
            }

            return length <= Longest
                ? new SecretMemory(bytes.AsSpan(0, end < 0 ? length : end))
                : throw new VerbException($"a key file has at most {Longest} bytes");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>Reads a line, in which the terminal itself takes back what was typed wrong.</summary>
    private static SecretMemory ReadFromTerminal(VerbContext context, string prompt)
    {
        using TerminalEcho silent = new();
        context.Error.Write(prompt);
        context.Error.Flush();
        using FileStream terminal = new(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0); // the console's own stream would show it
        SecretMemory passphrase = ReadFrom(terminal, firstLine: true);
        context.Error.WriteLine();
        return passphrase;
    }
}
