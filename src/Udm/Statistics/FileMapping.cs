using System.ComponentModel;
using DeviceMapper.Io;
using Microsoft.Win32.SafeHandles;
using Udm.Native;
using Udm.Verbs;

namespace Udm.Statistics;

/// <summary><c>stats create --filemap</c>: regions of the extents of a file, whose file system is on one of the daemon's devices.</summary>
internal static class FileMapping
{
    private static readonly Option[] Excluded =
        [Option.Areas, Option.AreaSize, Option.Start, Option.Length, Option.Segments, Option.UserData, Option.Uuid, Option.Major, Option.AllDevices];

    /// <summary>Looks at the options.</summary>
    /// <exception cref="UsageException">One does not go with <c>--filemap</c>.</exception>
    public static void Check(CommandLine options)
    {
        RegionCreation.CheckCommon(options);
        foreach (Option option in Excluded)
        {
            if (options.Has(option))
            {
                throw new UsageException($"--filemap and {OptionForm.Of(option)} exclude each other");
            }
        }

        if (options.Has(Option.NoGroup) && !options.Has(Option.NoMonitor))
        {
            throw new UsageException("--nogroup needs --nomonitor");
        }

        if (options.Has(Option.NoGroup) && options.Has(Option.Alias))
        {
            throw new UsageException("--alias and --nogroup exclude each other");
        }
    }

    /// <summary>Makes the regions of a file, and a group of them.</summary>
    /// <exception cref="VerbException">It is no regular file, or on no device of ours, or has no data.</exception>
    public static void Create(VerbContext context, string path)
    {
        context.Device = path;
        string file = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);
        using SafeFileHandle handle = Open(file);
        DeviceSelector device = DeviceOf(context, handle);
        List<int> regions = [];
        foreach ((ulong start, ulong length) in Extents(handle))
        {
            regions.Add(RegionCreation.Make(context, device, start / Sector.Size, length / Sector.Size, -1, precise: false, RegionTable.DefaultProgram + " "));
        }

        if (regions.Count == 0)
        {
            throw new VerbException("the file has no data on the device");
        }

        if (context.Options.Has(Option.NoGroup))
        {
            foreach (int region in regions)
            {
                context.Out.WriteLine($"{path}: Created new region with 1 area as region ID {region}.");
            }

            return;
        }

        string alias = context.Options.Value(Option.Alias) ?? Path.GetFileName(file);
        RegionTable.Read(context, device, RegionTable.DefaultProgram).MakeGroup(RegionSet.Write(regions.Order()), alias);
        context.Out.WriteLine($"{path}: Created new group with {regions.Count} region(s) as group ID {regions[0]}.");
        if (!context.Options.Has(Option.NoMonitor))
        {
            context.Warn("the file is not followed as it changes; --nomonitor says that this is meant");
        }
    }

    private static SafeFileHandle Open(string file)
    {
        try
        {
            return File.OpenHandle(file);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new VerbException($"the file cannot be opened: {problem.Message}");
        }
    }

    private static IReadOnlyList<(ulong Start, ulong Length)> Extents(SafeFileHandle handle)
    {
        try
        {
            return FileExtents.Of(handle);
        }
        catch (Win32Exception problem)
        {
            throw new VerbException($"its file system does not tell where it is: {problem.Message}");
        }
    }

    /// <summary>The mapped device that a file's file system is on: through a loop device on the device's file.</summary>
    private static DeviceSelector DeviceOf(VerbContext context, SafeFileHandle file)
    {
        if (FileExtents.DeviceOf(file) is { } number)
        {
            string backing = $"/sys/dev/block/{number}/loop/backing_file";
            if (File.Exists(backing) && File.ReadAllText(backing).TrimEnd('\n') is var path && Path.GetDirectoryName(path) == context.Run.Mapper)
            {
                return new DeviceSelector(Path.GetFileName(path), Name: Path.GetFileName(path));
            }
        }

        throw new VerbException("it is no file of a file system on a mapped device");
    }
}
