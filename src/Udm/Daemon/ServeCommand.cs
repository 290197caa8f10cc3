using System.Globalization;
using DeviceMapper;
using DeviceMapper.Io;
using DeviceMapper.Ioctl;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using Udm.Verbs;

namespace Udm.Daemon;

/// <summary><c>udm serve FILE</c>: a daemon that starts with the devices of a file.</summary>
internal static class ServeCommand
{
    /// <summary>Makes the devices, all or none, and serves until SIGTERM or SIGINT.</summary>
    /// <returns>The exit status.</returns>
    /// <exception cref="VerbException">The file cannot be understood, a device cannot be made, or it cannot serve.</exception>
    public static int Run(VerbContext context, string file, DaemonOptions options)
    {
        IReadOnlyList<ConciseDevice> devices = DeviceFile.Read(file);
        return DaemonCommand.Run(options, context.Out, daemon =>
        {
            Create(context.With(new LocalControl(daemon.Registry)), file, devices);
            Tell(context.Out, context.Run, daemon, options);
        });
    }

    private static void Create(VerbContext context, string file, IReadOnlyList<ConciseDevice> devices)
    {
        try
        {
            CreateVerb.CreateAll(context, devices);
        }
        catch (DmException e)
        {
            throw new VerbException($"{file}: {context.Device}: {e.Message} ({e.Errno.Text()})");
        }
        catch (VerbException e)
        {
            throw new VerbException($"{file}: {context.Device}: {e.Message}");
        }
    }

    private static void Tell(TextWriter output, RunFolder folder, Daemon daemon, DaemonOptions options)
    {
        IReadOnlyList<MappedDevice> devices = daemon.Registry.Devices;
        int width = devices.Max(d => d.Name.Length);
        output.WriteLine(devices.Count == 1 ? "One device, until Ctrl-C:" : $"{devices.Count} devices, until Ctrl-C:");
        output.WriteLine();
        foreach (MappedDevice device in devices)
        {
            string where = daemon.Mapper is { } mapper ? Path.Combine(mapper, device.Name) : "";
            output.WriteLine($"  {device.Name.PadRight(width)}  {Size(device.Size),9}  {where}".TrimEnd());
        }

        output.WriteLine();
        output.WriteLine("Try in another terminal:");
        output.WriteLine();
        if (options.Run is not null)
        {
            output.WriteLine($"  export UDM_RUN={folder.Path}");
        }

        // The launcher says how it was called.
        string udm = Environment.GetEnvironmentVariable("UDM_COMMAND") is { Length: > 0 } command ? command : "udm";
        if (daemon.Mapper is not null)
        {
            output.WriteLine($"  dd if={Path.Combine(daemon.Mapper, devices[0].Name)} bs=4k count=1 | od -c");
        }

        output.WriteLine($"  nbdinfo 'nbd+unix:///{devices[0].Name}?socket={folder.NbdSocket}'");
        output.WriteLine($"  {udm} ls --tree");
        output.WriteLine($"  {udm} table");
        output.WriteLine();
    }

    private static string Size(SectorCount size)
    {
        (string unit, int shift) = size.Bytes switch
        {
            >= 1UL << 40 => ("TiB", 40),
            >= 1UL << 30 => ("GiB", 30),
            >= 1UL << 20 => ("MiB", 20),
            _ => ("KiB", 10),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{size.Bytes / (double)(1UL << shift):0.#} {unit}");
    }
}
