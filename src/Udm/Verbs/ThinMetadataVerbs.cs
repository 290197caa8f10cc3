using System.Text.Json;
using DeviceMapper;
using DeviceMapper.Native;
using DeviceMapper.Volumes.Thin;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>What <c>udm thin</c> does with the metadata of a pool that is not in use. No daemon is needed.</summary>
internal static class ThinMetadataVerbs
{
    /// <summary>Prints what is damaged, and what to do about it.</summary>
    public static void Check(VerbContext context, string path)
    {
        using ThinPoolMetadata metadata = ReadAll(context, path);
        if (context.PrintsJson)
        {
            PrintJson(context, metadata, path);
        }
        else
        {
            PrintDamage(context, metadata);
        }

        ThrowIfDamaged(context, metadata, path);
        if (context.PrintsJson)
        {
            return;
        }

        context.Out.WriteLine(metadata.NeedsCheck
            ? $"no damage; 'udm thin clear {path}' takes the mark needs_check away, so that the pool may be written to again"
            : "no damage");
    }

    /// <summary>Prints volumes and mappings.</summary>
    public static void Dump(VerbContext context, string path)
    {
        context.Device = path;
        using ThinPoolMetadata metadata = ThinPoolMetadata.Open(path);
        metadata.Dump(context.Out, read => ShowProgress(context, $"{read} blocks are read"));
        ThrowIfDamaged(context, metadata, path);
    }

    /// <summary>Writes what can be read to a new file.</summary>
    public static void Repair(VerbContext context, string path, string newFile)
    {
        context.Device = path;
        using ThinPoolMetadata metadata = ThinPoolMetadata.Open(path);
        metadata.Repair(newFile, saved => ShowProgress(context, $"{saved} mappings are saved"));
        if (context.PrintsJson)
        {
            JsonValues.Print(context.Out, writer =>
            {
                WriteDamage(writer, "lost", metadata);
                writer.WriteString("new_file", newFile);
            });
            return;
        }

        foreach (string damage in metadata.Damage)
        {
            context.Out.WriteLine($"lost: {damage}");
        }

        context.Out.WriteLine($"'{newFile}' is sound metadata now: make the pool on it, in place of '{path}'");
    }

    /// <summary>Takes the mark away, if nothing is damaged.</summary>
    public static void Clear(VerbContext context, string path)
    {
        using ThinPoolMetadata metadata = ReadAll(context, path);
        PrintDamage(context, metadata);
        ThrowIfDamaged(context, metadata, path);
        metadata.ClearNeedsCheck();
    }

    private static void PrintDamage(VerbContext context, ThinPoolMetadata metadata)
    {
        foreach (string damage in metadata.Damage)
        {
            context.Out.WriteLine(damage);
        }
    }

    private static void PrintJson(VerbContext context, ThinPoolMetadata metadata, string path) => JsonValues.Print(context.Out, writer =>
    {
        WriteDamage(writer, "damage", metadata);
        writer.WriteBoolean("needs_check", metadata.NeedsCheck);
        writer.WriteString("next", metadata.Damage.Count > 0 ? $"udm thin repair {path} NEWFILE" : metadata.NeedsCheck ? $"udm thin clear {path}" : null);
    });

    private static void WriteDamage(Utf8JsonWriter writer, string key, ThinPoolMetadata metadata)
    {
        writer.WriteStartArray(key);
        foreach (string damage in metadata.Damage)
        {
            writer.WriteStringValue(damage);
        }

        writer.WriteEndArray();
    }

    private static ThinPoolMetadata ReadAll(VerbContext context, string path)
    {
        context.Device = path;
        ThinPoolMetadata metadata = ThinPoolMetadata.Open(path);
        try
        {
            metadata.Check(read => ShowProgress(context, $"{read} of at most {metadata.Blocks} blocks are read"));
            return metadata;
        }
        catch
        {
            metadata.Dispose();
            throw;
        }
    }

    private static void ThrowIfDamaged(VerbContext context, ThinPoolMetadata metadata, string path)
    {
        if (metadata.Damage.Count > 0)
        {
            context.Out.Flush();
            throw new DmException(
                Errno.EILSEQ, $"{metadata.Damage.Count} damaged parts, the first: {metadata.Damage[0]}; 'udm thin repair {path} NEWFILE' saves what can be read");
        }
    }

    private static void ShowProgress(VerbContext context, string text)
    {
        if (context.Options.Has(Option.Verbose))
        {
            context.Error.WriteLine(text);
        }
    }
}
