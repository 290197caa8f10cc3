using System.Text;
using DeviceMapper.Native;

namespace DeviceMapper.Targets.Thin;

/// <content>Messages, and the status line.</content>
internal sealed partial class ThinPool
{
    /// <summary>Takes a message, and commits what it changed. Waits.</summary>
    /// <exception cref="DmException">EOPNOTSUPP: nothing may be changed at present; EINVAL: a message of another form; what the change itself gives.</exception>
    public void Message(IReadOnlyList<string> words)
    {
        if (_mode >= PoolMode.OutOfMetadataSpace)
        {
            throw new DmException(Errno.EOPNOTSUPP, $"thin-pool: the pool may not be changed at present ({ModeText}), so it takes no messages");
        }

        Action change = words[0].ToLowerInvariant() switch
        {
            "create_thin" => Create(words),
            "create_snap" => CreateSnapshot(words),
            "delete" => Delete(words),
            "set_transaction_id" => SetTransactionId(words),
            "reserve_metadata_snap" => Expect(words, 1, "", ReserveSnapshot),
            "release_metadata_snap" => Expect(words, 1, "", _metadata.ReleaseSnapshot),
            _ => throw new DmException(
                Errno.EINVAL,
                $"thin-pool: '{words[0]}' is not a message of pools: create_thin, create_snap, delete, set_transaction_id, reserve_metadata_snap, release_metadata_snap"),
        };
        Change(() =>
        {
            try
            {
                change();
            }
            catch (DmException e)
            {
                if (_metadata.IsTorn)
                {
                    OperationFailed(e); // the kernel goes on, and commits the half of it
                }

                throw new DmException(e.Errno, $"thin-pool: {words[0]}: {e.Message}", e);
            }

            Commit();
        });
    }

    /// <summary>Appends the status line (the kernel's <c>pool_status</c>). Waits.</summary>
    public void AppendStatus(StringBuilder text, bool noflush, ulong metadataThreshold) => Change(() =>
    {
        if (_mode == PoolMode.Fail)
        {
            text.Append("Fail");
            return;
        }

        if (!noflush && !_suspended)
        {
            Commit();
            if (_mode == PoolMode.Fail)
            {
                text.Append("Error");
                return;
            }
        }

        text.Append($"{_metadata.TransactionId} {_metadata.MetadataBlocks - _metadata.FreeMetadataBlocks}/{_metadata.MetadataBlocks} ");
        text.Append($"{_metadata.DataBlocks - _metadata.FreeDataBlocks}/{_metadata.DataBlocks} ");
        text.Append(_metadata.HeldRoot == 0 ? "- " : $"{_metadata.HeldRoot} ");
        text.Append($"{ModeText} ");
        text.Append(!Features.DiscardEnabled ? "ignore_discard " : Features.DiscardPassdown ? "discard_passdown " : "no_discard_passdown ");
        text.Append(Features.ErrorIfNoSpace ? "error_if_no_space " : "queue_if_no_space ");
        text.Append(_metadata.NeedsCheck ? "needs_check " : "- ");
        text.Append($"{metadataThreshold} ");
    });

    private string ModeText => _mode switch
    {
        PoolMode.Write => "rw",
        PoolMode.OutOfDataSpace => "out_of_data_space",
        _ => "ro",
    };

    private Action Create(IReadOnlyList<string> words)
    {
        Expect(words, 2, " ID");
        ulong id = Volume(words, 1);
        return () => _metadata.CreateVolume(id);
    }

    private Action CreateSnapshot(IReadOnlyList<string> words)
    {
        Expect(words, 3, " ID ORIGIN_ID");
        ulong id = Volume(words, 1);
        ulong origin = Volume(words, 2);
        return () => _metadata.CreateSnapshot(id, origin);
    }

    private Action Delete(IReadOnlyList<string> words)
    {
        Expect(words, 2, " ID");
        ulong id = Volume(words, 1);
        return () => _metadata.DeleteVolume(id);
    }

    private Action SetTransactionId(IReadOnlyList<string> words)
    {
        Expect(words, 3, " PRESENT NEW");
        ulong present = Number(words, 1);
        ulong next = Number(words, 2);
        return () => _metadata.TransactionId = present == _metadata.TransactionId
            ? next
            : throw new DmException(Errno.EINVAL, $"the present transaction id is {_metadata.TransactionId}, not {present}");
    }

    private void ReserveSnapshot()
    {
        if (!Commit())
        {
            throw new DmException(Errno.EPERM, "what has changed before it cannot be committed, so the pool is read-only now");
        }

        _metadata.ReserveSnapshot();
    }

    private static Action Expect(IReadOnlyList<string> words, int count, string arguments, Action? change = null) => words.Count == count
        ? change ?? (() => { })
        : throw new DmException(Errno.EINVAL, $"thin-pool: the message is '{words[0]}{arguments}', without more or fewer words");

    private static ulong Volume(IReadOnlyList<string> words, int index) => KernelNumber.TryParse(words[index], out ulong id) && id < ThinMetadata.MostVolumes
        ? id
        : throw new DmException(Errno.EINVAL, $"thin-pool: {words[0]}: '{words[index]}' is not the number of a volume, 0 to {ThinMetadata.MostVolumes - 1}");

    private static ulong Number(IReadOnlyList<string> words, int index) => KernelNumber.TryParse(words[index], out ulong number)
        ? number
        : throw new DmException(Errno.EINVAL, $"thin-pool: {words[0]}: '{words[index]}' is not a transaction id");
}
