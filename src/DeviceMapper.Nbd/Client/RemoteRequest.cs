using DeviceMapper.Io;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Client;

/// <summary>A bio on its way to a server; or a question for an extent, which has none. One request at a time, where it takes several.</summary>
internal sealed class RemoteRequest
{
    private const ulong LargestWithoutData = 1 << 30; // bytes of a trim or a write of zeroes: less than the 32 bits of a length, and aligned

    /// <summary>Link of whatever list it is in.</summary>
    public RemoteRequest? Next;

    /// <summary>The bio; null for a question.</summary>
    public Bio? Bio { get; private set; }

    /// <summary>The question; null for a bio.</summary>
    public ExtentQuestion? Question { get; private set; }

    /// <summary>What is asked of the server now.</summary>
    public NbdCommand Command { get; private set; }

    /// <summary>How.</summary>
    public NbdCommandFlags Flags { get; private set; }

    /// <summary>Where, in bytes.</summary>
    public ulong Offset { get; private set; }

    /// <summary>How many bytes, in this request.</summary>
    public uint Length { get; private set; }

    /// <summary>How many bytes of the bio earlier requests have done.</summary>
    public ulong Done { get; private set; }

    /// <summary>The first error that the server has told.</summary>
    public NbdError Error { get; set; }

    /// <summary>The time by which it must have its reply, as the clock's timestamp.</summary>
    public long Deadline { get; set; } = long.MaxValue;

    /// <summary>Its place at the connection that it was handed to.</summary>
    public int Place { get; set; }

    /// <summary>Whether it was sent before, on a connection that was lost.</summary>
    public bool IsReplay { get; set; }

    /// <summary>Whether the connection has taken all of it. Guarded by its lock.</summary>
    public bool IsSent { get; set; }

    /// <summary>Whether it changes data, so that a second copy of it at the server could do harm.</summary>
    public bool Changes => Command is NbdCommand.Write or NbdCommand.Trim or NbdCommand.WriteZeroes;

    /// <summary>The memory that this request reads into or writes from.</summary>
    public BioBuffer Data => Bio!.Buffer.Slice((int)Done, (int)Length);

    /// <summary>Takes a bio.</summary>
    public void Start(Bio bio, RemoteExport export)
    {
        Bio = bio;
        Done = 0;
        (Command, Flags) = bio.Operation switch
        {
            BioOperation.Read => (NbdCommand.Read, NbdCommandFlags.None),
            BioOperation.Write => (NbdCommand.Write, Durable(bio, export)),
            BioOperation.Flush => (NbdCommand.Flush, NbdCommandFlags.None),
            BioOperation.Discard => (NbdCommand.Trim, NbdCommandFlags.None),
            _ => (NbdCommand.WriteZeroes, Durable(bio, export) | ((bio.Flags & BioFlags.NoUnmap) != 0 ? NbdCommandFlags.NoHole : NbdCommandFlags.None)),
        };
        StartPart(export);
    }

    /// <summary>Takes a question.</summary>
    public void Start(ExtentQuestion question)
    {
        Question = question;
        (Command, Flags) = (NbdCommand.BlockStatus, NbdCommandFlags.ReqOne);
        (Offset, Length) = (question.Offset, question.Length);
        Again();
    }

    /// <summary>
    /// The present request has succeeded: goes on to the next one, which may be a flush, where the bio is to be durable and the server
    /// knows no durable writes.
    /// </summary>
    /// <returns>False where all is done.</returns>
    public bool GoOn(RemoteExport export)
    {
        if (Question is not null || Command == NbdCommand.Flush)
        {
            return false;
        }

        Done += Length;
        if (Done < Bio!.Count.Bytes)
        {
            StartPart(export);
            return true;
        }

        bool durable = Command is NbdCommand.Write or NbdCommand.WriteZeroes && (Bio.Flags & BioFlags.Fua) != 0;
        if (!durable || export.Has(NbdExportFlags.SendFua) || !export.Has(NbdExportFlags.SendFlush))
        {
            return false;
        }

        (Command, Flags, Offset, Length) = (NbdCommand.Flush, NbdCommandFlags.None, 0, 0);
        Again();
        return true;
    }

    /// <summary>Makes it ready to be sent, for the first time or again.</summary>
    public void Again()
    {
        Error = NbdError.None;
        IsSent = false;
        Next = null;
    }

    /// <summary>Forgets the bio or question.</summary>
    public void Clear()
    {
        Bio = null;
        IsReplay = false;
        Question = null;
        Next = null;
    }

    private static NbdCommandFlags Durable(Bio bio, RemoteExport export) =>
        (bio.Flags & BioFlags.Fua) != 0 && export.Has(NbdExportFlags.SendFua) ? NbdCommandFlags.Fua : NbdCommandFlags.None;

    private void StartPart(RemoteExport export)
    {
        ulong largest = Command is NbdCommand.Read or NbdCommand.Write ? export.Largest & ~(export.Least - 1ul) : LargestWithoutData;
        Offset = Command == NbdCommand.Flush ? 0 : Bio!.Sector.Bytes + Done;
        Length = (uint)Math.Min(Bio!.Count.Bytes - Done, largest);
        Again();
    }
}

/// <summary>Who waits for the first extent of a range.</summary>
/// <param name="offset">In bytes.</param>
/// <param name="length">In bytes.</param>
internal sealed class ExtentQuestion(ulong offset, uint length)
{
    /// <summary>Where, in bytes.</summary>
    public ulong Offset { get; } = offset;

    /// <summary>How many bytes.</summary>
    public uint Length { get; } = length;

    /// <summary>How long the extent is, in bytes; 0 where the server did not tell.</summary>
    public uint Known { get; set; }

    /// <summary>Whether it is a hole that reads as zeroes.</summary>
    public bool Hole { get; set; }

    /// <summary>Set when it is answered.</summary>
    public ManualResetEventSlim Answered { get; } = new();
}
