using DeviceMapper;
using DeviceMapper.Fuse;
using DeviceMapper.Fuse.Loop;
using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using DeviceMapper.Nbd.Client;
using DeviceMapper.Nbd.Server;
using Microsoft.Extensions.Logging;
using Udm.Verbs;

namespace Udm.Daemon;

/// <summary>A registry of devices with its front ends: the control socket, the devices as files and as block devices, and the NBD server.</summary>
internal sealed class Daemon : IDisposable
{
    // Out within five seconds, whatever hangs.
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RemovalLimit = TimeSpan.FromSeconds(2);

    private readonly RunFolder _folder;
    private readonly ILogger _logger;
    private readonly DaemonLock _lock;
    private readonly FuseMount? _mount;
    private readonly LoopExport? _blocks;
    private readonly NbdServer? _nbd;
    private readonly ControlServer _control;

    /// <summary>Starts to serve; when it returns, all that there is answers.</summary>
    /// <param name="folder">The run folder; made where it is missing.</param>
    /// <param name="options">How it serves.</param>
    /// <param name="logger">Where it logs.</param>
    /// <exception cref="VerbException">It cannot serve in the folder, or the certificates cannot be read.</exception>
    /// <exception cref="DmException">The control socket cannot be made, or block devices were asked for and cannot be had.</exception>
    public Daemon(RunFolder folder, DaemonOptions options, ILogger logger)
    {
        _folder = folder;
        _logger = logger;
        folder.Prepare();
        _lock = new DaemonLock(folder);
        try
        {
            Registry = new DeviceRegistry(new DeviceRegistryOptions
            {
                MapperFolder = folder.Mapper,
                Logger = logger,
                Schemes = [new NbdScheme(logger)],
                DirectFiles = options.Block,
                NoSpaceTimeout = options.NoSpaceTimeout,
                VerityCertificates = TrustedCertificates.Read(options.VerityCertificates),
            });
            LoopExport.CleanUp(folder.Mapper, logger);
            _mount = Mount();
            _blocks = ServeBlockDevices(options.Block);
            _nbd = new NbdServer(NbdEndpoints.Of(folder, options.Nbd), logger);
            Registry.AddExport(_nbd);
            _control = new ControlServer(Registry, folder.ControlSocket, logger, answer: new Questions(Registry, _nbd, _blocks).Answer);
        }
        catch
        {
            _nbd?.Dispose();
            _blocks?.Dispose();
            _mount?.Dispose();
            _lock.Dispose();
            throw;
        }
    }

    /// <summary>The devices.</summary>
    public DeviceRegistry Registry { get; }

    /// <summary>The folder in which devices are files; null where they are not.</summary>
    public string? Mapper => _mount?.Folder;

    /// <summary>
    /// Ends: takes no more callers, flushes the devices, removes them, and unmounts. I/O that waits for a resume fails with EIO; what
    /// hangs is left behind.
    /// </summary>
    public void Dispose()
    {
        _control.Dispose();
        File.Delete(_folder.ControlSocket);
        foreach (MappedDevice device in Registry.Devices.Where(d => d.OpenCount > 0))
        {
            _logger.LogWarning("{Device}: was in use, by {Count} others", device.Name, device.OpenCount);
        }

        _nbd?.Dispose();
        Flush();
        Thread removal = new(RemoveDevices) { IsBackground = true, Name = "end" };
        removal.Start();
        if (!removal.Join(RemovalLimit))
        {
            _logger.LogWarning("not all devices could be removed: I/O of theirs does not end");
        }

        _mount?.Dispose();
        _lock.Dispose();
    }

    private void RemoveDevices()
    {
        Registry.Dispose();
        _blocks?.Dispose();
    }

    /// <summary>Block devices: of all mapped devices, or only of those that <c>udm block attach</c> asks for; null where they cannot be had.</summary>
    private LoopExport? ServeBlockDevices(bool all)
    {
        if (_mount is null || !Environment.IsPrivilegedProcess)
        {
            return all ? throw new DmException(Errno.EPERM, $"--block needs {(_mount is null ? "FUSE" : "root")}") : null;
        }

        LoopExport blocks = new(_mount, _folder.Block, all, _logger);
        Registry.AddExport(blocks);
        return blocks;
    }

    private FuseMount? Mount()
    {
        try
        {
            FuseMount mount = new(_folder.Mapper, _logger);
            Registry.AddExport(mount);
            return mount;
        }
        catch (DmException e)
        {
            _logger.LogWarning("devices are not shown as files: {Reason} ({Errno})", e.Message, e.Errno.Text());
            RemoveEmptyFolder(_folder.Mapper);
            return null;
        }
    }

    /// <summary>Whoever writes to a device's path is to hear that there is none, and not to make a plain file in its place.</summary>
    private static void RemoveEmptyFolder(string folder)
    {
        try
        {
            Directory.Delete(folder);
        }
        catch (IOException)
        {
            // It is not there, or somebody's files are in it.
        }
    }

    private void Flush()
    {
        Countdown flushed = new();
        foreach (MappedDevice device in Registry.Devices)
        {
            if (device.Status() is { ActivePresent: true, Suspended: false })
            {
                Bio bio = Bio.Rent();
                bio.Operation = BioOperation.Flush;
                bio.Device = device;
                flushed.Add();
                bio.Submit(flushed);
            }
        }

        flushed.Wait(FlushLimit);
    }

    private sealed class Countdown : IBioCompletion
    {
        private readonly CountdownEvent _left = new(1); // never disposed: bios that are late still signal it

        public void Add() => _left.AddCount();

        public void BioEnded(Bio bio)
        {
            bio.Return();
            _left.Signal();
        }

        public void Wait(TimeSpan limit)
        {
            _left.Signal();
            _left.Wait(limit);
        }
    }
}
