using System.Buffers.Binary;
using System.Security.Cryptography;
using DeviceMapper.Backends;
using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Targets.Multipath;

/// <content>
/// Another disk behind the address of a path that was lost, or dead: before a writeable path is used again, ranges that nobody has written are compared with
/// what they held when the device was first opened; see <see cref="DiskSamples"/>.
/// </content>
public sealed partial class MultipathTarget
{
    private DiskSamples Samples => Table.Owner.Samples; // outlives the table

    /// <summary>Whether a path can come to lead elsewhere; a device that stays open for good stays what it is.</summary>
    private bool Compares => Table.Mode == DeviceMode.ReadWrite && Array.Exists(_paths, p => p.Device is null || p.Monitor is not null);

    /// <summary>The device is live: sees what the disk holds, and compares where a path came back before.</summary>
    private void StartComparing()
    {
        if (!Compares)
        {
            return;
        }

        Samples.Choose(Length, Table.Limits.LogicalBlockSize);
        foreach (MultipathPath path in _paths)
        {
            if (path.Monitor is not { } monitor)
            {
                continue;
            }

            path.Connection = Samples.Trusted(monitor);
            if (!monitor.IsConnected)
            {
                continue; // the first I/O finds out, as in the kernel; it goes by no other connection
            }

            if (Samples.IsSuspect(monitor))
            {
                Fail(path, PathFailure.Lost, LostReason);
            }

            if (path.Failure != PathFailure.None)
            {
                ReinstateIfSame(path, "its backend is connected");
            }
            else if (Samples.IsBlank)
            {
                ReadSamples(path, path.Connection, (_, read) => Samples.Compare(read));
            }
        }
    }

    /// <summary>A path that was lost or dead has come back.</summary>
    private void ReinstateIfSame(MultipathPath path, string reason)
    {
        if (!Compares)
        {
            if (MayReturn(path))
            {
                Reinstate(path, reason);
            }

            return;
        }

        if (path.IsActive && path.Monitor is { } back && Samples.IsSuspect(back))
        {
            Fail(path, PathFailure.Lost, LostReason); // it was back before any I/O found the loss
        }

        if (!MayReturn(path))
        {
            return;
        }

        object comparison = path.Comparison = new object();
        int connection = path.Monitor?.Connection ?? 0;
        ReadSamples(path, connection, (status, read) =>
        {
            if (path.Comparison != comparison || !MayReturn(path))
            {
                return; // lost again, or somebody has decided
            }

            if (BlamesPath(status))
            {
                KeepFailed(path, status == BioStatus.Transport ? PathFailure.Lost : PathFailure.IoError, $"a read to see whether it is the same disk ended with {status.ToErrno()}");
            }
            else if (Samples.Compare(read) is { } other)
            {
                KeepFailed(path, PathFailure.OtherDisk, $"another disk answers: sector {other} is not what it was, and nobody has written it");
            }
            else
            {
                path.Comparison = null;
                Trust(path, connection);
                Reinstate(path, reason);
            }
        });
    }

    /// <summary>Somebody says that a path is good: if another disk was seen there, that is the right one.</summary>
    private void TakeForTheDisk(MultipathPath path)
    {
        path.Comparison = null;
        if (path.Failure == PathFailure.OtherDisk)
        {
            Samples.Forget();
        }

        if (Compares)
        {
            Trust(path, path.Monitor?.Connection ?? 0);
        }
    }

    private void Trust(MultipathPath path, int connection)
    {
        path.Connection = connection;
        if (path.Monitor is { } monitor)
        {
            Samples.Trust(monitor, connection);
        }
    }

    private static bool MayReturn(MultipathPath path) =>
        path.Device is not null && path.Failure is PathFailure.Lost or PathFailure.Dead or PathFailure.OtherDisk;

    private void KeepFailed(MultipathPath path, PathFailure failure, string reason)
    {
        lock (_lock)
        {
            Mark(path, failure, reason);
        }

        Table.Owner.Logger.OtherDisk(Table.Owner.Name, path.Name, reason);
    }

    /// <summary>Reads all ranges that count. Where the device is suspended nothing is read, and nothing told: the resume does it.</summary>
    /// <param name="path">By which path.</param>
    /// <param name="connection">By which of its connections.</param>
    /// <param name="ended">Is told the worst that a read ended with, and what was read, by number.</param>
    private void ReadSamples(MultipathPath path, int connection, Action<BioStatus, IReadOnlyDictionary<int, UInt128>> ended)
    {
        (int Number, Sector Start)[] ranges = [.. Samples.Unwritten().Where(r => r.Start.Value + ((ulong)Samples.Bytes / Sector.Size) <= Length.Value)];
        Dictionary<int, UInt128> read = [];
        BioStatus worst = BioStatus.Ok;
        int left = ranges.Length + 1;
        foreach ((int number, Sector start) in ranges)
        {
            if (!Probe(path, connection, start, Samples.Bytes, (status, data) => Note(number, status, data)))
            {
                return;
            }
        }

        End();

        void Note(int number, BioStatus status, ReadOnlySpan<byte> data)
        {
            lock (read)
            {
                worst = BlamesPath(status) ? status : worst;
                if (status == BioStatus.Ok)
                {
                    read[number] = Hash(data);
                }
            }

            End();
        }

        void End()
        {
            if (Interlocked.Decrement(ref left) == 0)
            {
                ended(worst, read);
            }
        }
    }

    private static UInt128 Hash(ReadOnlySpan<byte> data)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(data, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
