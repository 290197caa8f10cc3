using DeviceMapper.Io;

namespace DeviceMapper.Targets.Multipath;

/// <content>
/// Flushes where paths do not share a write cache (servers on the network): each cache gets one, and one that lost its last path with writes
/// in it fails the next flush, once. Where all paths share one, as a disk's do, a flush goes to any of them.
/// </content>
public sealed partial class MultipathTarget
{
    private readonly WriteCache[] _caches; // a flush has a clone for each; empty where all paths share one

    private WriteCache[] FindCaches()
    {
        foreach (MultipathPath path in _paths)
        {
            path.Cache = CacheOf(path);
        }

        WriteCache[] caches = [.. _paths.Select(p => p.Cache!).Distinct()];
        if (caches.Length > 1 && !_features.SharedCache)
        {
            return caches;
        }

        Array.ForEach(_paths, p => p.Cache = null);
        return [];
    }

    /// <summary>The cache that a path shares with others; one that is not open yet has its own until it turns out otherwise.</summary>
    private WriteCache CacheOf(MultipathPath path)
    {
        if (path.Device is not { } device)
        {
            return new WriteCache(null);
        }

        string? domain = device.Backend.CacheDomain;
        return Array.Find(_paths, p => p != path && p is { Device: not null, Cache: not null } && p.Cache.Domain == domain)?.Cache ?? new WriteCache(domain);
    }

    private MapResult MapFlush(Bio bio)
    {
        WriteCache cache = _caches[bio.TargetBioNumber];
        if (cache.TakeLoss())
        {
            Table.Owner.Logger.WritesLost(Table.Owner.Name, cache.Domain ?? "a device");
            bio.End(BioStatus.IoError);
            return MapResult.Submitted;
        }

        MultipathPath? path = ActivePathTo(cache);
        if (path is null && Volatile.Read(ref _activePaths) > 0)
        {
            bio.End(BioStatus.Ok); // nothing was written to it
            return MapResult.Submitted;
        }

        if (path is null)
        {
            Choice choice = Choose(bio, out path); // waits or fails as all I/O, or a path has just come back
            if (choice != Choice.Path)
            {
                return choice == Choice.Held ? MapResult.Submitted : MapResult.Requeue;
            }
        }

        cache.Flushing();
        SendTo(bio, path!);
        return MapResult.Remapped;
    }

    /// <summary>A flush has failed with its path: another path to the cache will do; without one its writes may be lost.</summary>
    private EndResult RetryFlush(Bio bio, ref BioStatus status)
    {
        WriteCache cache = _caches[bio.TargetBioNumber];
        if (ActivePathTo(cache) is { } other)
        {
            SendTo(bio, other);
            bio.Send();
            return EndResult.Incomplete;
        }

        cache.TakeLoss(); // told now
        Table.Owner.Logger.WritesLost(Table.Owner.Name, cache.Domain ?? "a device");
        status = BioStatus.IoError;
        return EndResult.Done;
    }

    private MultipathPath? ActivePathTo(WriteCache cache) => Array.Find(_paths, p => p.IsActive && p.Cache == cache);

    /// <summary>A path has failed. Called with the lock held.</summary>
    private void LoseCacheWithLastPath(MultipathPath path)
    {
        if (path.Cache is { } cache && ActivePathTo(cache) is null)
        {
            cache.Lose();
        }
    }
}
