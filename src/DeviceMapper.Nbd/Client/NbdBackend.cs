using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Nbd.Protocol;
using Microsoft.Extensions.Logging;

namespace DeviceMapper.Nbd.Client;

/// <summary>
/// A device on an NBD server. Requests of all threads share its connections; what was under way on a connection that is lost, and has
/// not asked to fail fast, is sent again when the server is back.
/// </summary>
internal sealed partial class NbdBackend : Backend, IPathMonitor, ILinkOwner
{
    private static readonly TimeSpan LookLimit = TimeSpan.FromSeconds(1); // for a question about holes

    private readonly NbdConnector _connector;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly bool _writable;
    private readonly RequestPool _requests = new();
    private RemoteExport _export;
    private NbdUri _uri;
    private uint _turn;

    private NbdBackend(NbdUri uri, bool writable, ILogger logger, TimeProvider time)
    {
        _uri = uri;
        _connector = new NbdConnector(uri);
        _writable = writable;
        _logger = logger;
        _time = time;
        _export = null!; // Open sets it
    }

    /// <inheritdoc/>
    public event Action? StateChanged;

    /// <inheritdoc/>
    public override SectorCount Size => SectorCount.FromBytes(_export.Size);

    /// <inheritdoc/>
    public override QueueLimits Limits => _export.Limits();

    /// <inheritdoc/>
    public bool IsConnected => _links.All.Length > 0;

    /// <inheritdoc/>
    public int Connection => _links.Connection;

    /// <summary>Connects.</summary>
    /// <exception cref="DmException">The server is not there, or does not have what is wanted. EACCES: the export is read-only.</exception>
    public static NbdBackend Open(NbdUri uri, DeviceMode mode, ILogger logger, TimeProvider time, CancellationToken cancellation)
    {
        NbdBackend backend = new(uri, mode == DeviceMode.ReadWrite, logger, time);
        NbdLink[] links = backend.ConnectAll(null, cancellation);
        if (mode == DeviceMode.ReadWrite && backend._export.Has(NbdExportFlags.ReadOnly))
        {
            backend.CloseUnused(links);
            throw new DmException(Errno.EACCES, $"'{uri.Word}': the server has it read-only");
        }

        backend.Use(links);
        return backend;
    }

    /// <summary>Takes over the options of another word for it.</summary>
    /// <returns>A warning where one cannot be.</returns>
    public string? Apply(NbdUri uri)
    {
        int connections = _uri.Connections;
        _uri = uri with { Connections = connections };
        return uri.Connections == connections
            ? null
            : $"'{uri.Word}': it is open with {connections} connection(s), and keeps them until nobody uses it any more";
    }

    /// <summary>Asks the server where it can tell, and waits up to a second.</summary>
    public override (SectorCount Length, bool Hole) ExtentAt(Sector start, SectorCount length)
    {
        NbdLink[] links = _links.All;
        if (links.Length == 0 || _export.Allocation is null || start.Bytes >= _export.Size)
        {
            return (length, false);
        }

        ExtentQuestion question = new(start.Bytes, (uint)Math.Min(Math.Min(length.Bytes, _export.Size - start.Bytes), 1 << 30));
        RemoteRequest request = _requests.Rent();
        request.Start(question);
        if (!links[0].TrySend(request))
        {
            return (length, false);
        }

        Plug.Flush();
        bool answered = question.Answered.Wait(LookLimit);
        SectorCount known = SectorCount.FromBytes(question.Known);
        return answered && known != SectorCount.Zero ? (SectorCount.Min(known, length), question.Hole) : (length, false);
    }

    /// <inheritdoc/>
    protected override void Process(Bio bio)
    {
        RemoteExport export = _export;
        BioStatus refusal = Check(bio, export);
        if (refusal != BioStatus.Ok || (bio.Operation == BioOperation.Flush && !export.Has(NbdExportFlags.SendFlush)))
        {
            bio.End(refusal); // a server that knows no flush keeps nothing back
            return;
        }

        RemoteRequest request = _requests.Rent();
        request.Start(bio, export);
        Submit(request);
    }

    private BioStatus Check(Bio bio, RemoteExport export)
    {
        if (bio.Operation == BioOperation.Flush)
        {
            return BioStatus.Ok;
        }

        ulong size = export.Size / Sector.Size;
        if (bio.Sector.Value > size || bio.Count.Value > size - bio.Sector.Value)
        {
            return BioStatus.IoError;
        }

        if (bio.IsWrite && !_writable)
        {
            return BioStatus.ReadOnly;
        }

        return bio.Operation switch
        {
            BioOperation.Discard when !export.Has(NbdExportFlags.SendTrim) => BioStatus.Unsupported,
            BioOperation.WriteZeroes when !export.Has(NbdExportFlags.SendWriteZeroes) => BioStatus.Unsupported,
            BioOperation.SecureErase => BioStatus.Unsupported,
            _ => BioStatus.Ok,
        };
    }

    /// <summary>Ends a request's bio, or answers its question.</summary>
    private void End(RemoteRequest request, BioStatus status)
    {
        Bio? bio = request.Bio;
        request.Question?.Answered.Set();
        _requests.Return(request);
        bio?.End(status);
    }

    void ILinkOwner.Replied(NbdLink link, RemoteRequest request)
    {
        if (request.Error != NbdError.None)
        {
            End(request, request.Error.ToStatus());
        }
        else if (!request.GoOn(_export))
        {
            End(request, BioStatus.Ok);
        }
        else
        {
            Submit(request);
        }
    }
}
