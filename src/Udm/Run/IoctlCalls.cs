using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using DeviceMapper;
using DeviceMapper.Ioctl;
using DeviceMapper.Native;

namespace Udm.Run;

/// <summary>Passes the ioctls on control nodes to the daemon, and its answers back into the caller's memory.</summary>
/// <remarks>
/// All is done by the thread that answers every call, until one takes its time: to hand a call over to another thread costs more than most calls do.
/// </remarks>
internal sealed class IoctlCalls(ControlClients clients, GivenKeys keys, CallThreads threads)
{
    private const int DataSizeOffset = 12, FlagsOffset = 28, VersionSize = 12;
    private const int UsualSize = 16 * 1024; // what libdm says; so much is read at once, where the caller has it
    private const int SmallSize = 64 * 1024; // up to this, there is memory for a request before it is looked whether the caller has as much

    // So long an answer is waited for before another thread does that.
    private static readonly TimeSpan Brief = TimeSpan.FromMilliseconds(1);

    // How often it is looked whether the caller of an ioctl that takes its time still lives, and has no signal.
    private static readonly TimeSpan LifeCheck = TimeSpan.FromMilliseconds(100);

    private readonly byte[] _small = GC.AllocateUninitializedArray<byte>(SmallSize, pinned: true);

    /// <summary>Carries one out.</summary>
    public void Run(TracedCall call, ControlFile file)
    {
        DmCommand command = Command(call);
        bool structAlone = command == DmCommand.Version || command.IgnoresPayload();
        int got = structAlone ? 0 : call.ReadSome(call.Argument(2), _small.AsSpan(0, UsualSize));
        if (got < DmIoctl.FixedSize && !call.Read(call.Argument(2), _small.AsSpan(0, DmIoctl.FixedSize)))
        {
            call.Fail(Errno.EFAULT);
            return;
        }

        Span<byte> header = _small.AsSpan(0, DmIoctl.FixedSize);

        // A size that is wrong, or more than is there, is refused by the daemon after the versions: it is given the struct alone, as where
        // there is no payload.
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(header[DataSizeOffset..]);
        bool refused = size is < DmIoctl.FixedSize or > DmIoctl.MaxDataSize;
        if (structAlone || refused)
        {
            if (!refused && command.IgnoresPayload())
            {
                BinaryPrimitives.WriteUInt32LittleEndian(header[DataSizeOffset..], DmIoctl.FixedSize);
            }

            Begin(call, file, header);
        }
        else if (size <= (uint)got || (size <= SmallSize && call.Read(call.Argument(2), _small.AsSpan(0, (int)size))))
        {
            Begin(call, file, _small.AsSpan(0, (int)size));
        }
        else if (size <= SmallSize)
        {
            Begin(call, file, header);
        }
        else
        {
            byte[] alone = header.ToArray();
            threads.Run(() => BeginLarge(call, file, alone, (int)size));
        }
    }

    private static DmCommand Command(TracedCall call) => (DmCommand)(call.Argument(1) & 0xff);

    /// <summary>Sends one with more of a payload than there is memory for at once, if the caller has as much.</summary>
    private void BeginLarge(TracedCall call, ControlFile file, byte[] alone, int size)
    {
        try
        {
            bool isThere = call.Read(call.Argument(2) + (ulong)size - 1, stackalloc byte[1]);
            byte[] whole = isThere ? GC.AllocateUninitializedArray<byte>(size, pinned: true) : alone;
            Begin(call, file, isThere && call.Read(call.Argument(2), whole) ? whole : alone);
        }
        catch (OutOfMemoryException)
        {
            call.Fail(Errno.ENOMEM); // its buffer may have up to 1 GiB, as in the kernel
        }
    }

    /// <summary>Sends a request, and waits for its answer on this thread for a moment, then on another.</summary>
    private void Begin(TracedCall call, ControlFile file, Span<byte> request)
    {
        DmCommand command = Command(call);
        bool mayNameKeys = command is DmCommand.TableLoad or DmCommand.TargetMessage;
        bool secret = (BinaryPrimitives.ReadUInt32LittleEndian(request[FlagsOffset..]) & (uint)DmFlags.SecureData) != 0;
        ControlClient client = clients.Take();
        try
        {
            if (secret && request.Length > DmIoctl.HeaderSize)
            {
                call.Write(call.Argument(2) + DmIoctl.HeaderSize, new byte[request.Length - DmIoctl.HeaderSize]); // as the kernel clears it
            }

            if (mayNameKeys)
            {
                keys.GiveNamed(call, request, client);
            }

            client.Forward((uint)call.Argument(1), request);
        }
        catch (DmException refusal)
        {
            clients.Return(client);
            Refuse(call, refusal);
            return;
        }
        finally
        {
            if (secret || mayNameKeys)
            {
                CryptographicOperations.ZeroMemory(request);
            }
        }

        int room = request.Length;
        if (client.Answers(Brief))
        {
            End(call, file, client, room, secret);
        }
        else
        {
            threads.Run(() => WaitForEnd(call, file, client, room, secret));
        }
    }

    /// <summary>
    /// A caller that is killed takes its call with it: the connection is closed, and the daemon undoes what waits. A signal ends the ioctls
    /// that the kernel lets it end; our filter has the kernel hold it back until the answer.
    /// </summary>
    private void WaitForEnd(TracedCall call, ControlFile file, ControlClient client, int room, bool secret)
    {
        bool interruptible = Command(call) is DmCommand.DevWait or DmCommand.DevSuspend;
        using CancellationTokenSource gone = new();
        using Timer check = new(
            _ =>
            {
                if (!call.StillWaits || (interruptible && call.HasSignal))
                {
                    gone.Cancel();
                }
            },
            null, LifeCheck, LifeCheck);
        End(call, file, client, room, secret, gone.Token);
    }

    /// <summary>Takes the answer and gives it to the caller.</summary>
    private void End(TracedCall call, ControlFile file, ControlClient client, int room, bool secret, CancellationToken gone = default)
    {
        try
        {
            Span<byte> answer = client.ForwardedAnswer(gone).Span;
            if (Command(call) == DmCommand.DevArmPoll)
            {
                file.Arm();
            }

            uint meant = Math.Max(BinaryPrimitives.ReadUInt32LittleEndian(answer[DataSizeOffset..]), VersionSize);
            bool written = call.Write(call.Argument(2), answer[..(int)Math.Min(meant, (uint)Math.Min(answer.Length, room))]);
            if (secret)
            {
                CryptographicOperations.ZeroMemory(answer);
            }

            call.Fail(written ? Errno.None : Errno.EFAULT);
        }
        catch (DmException refusal)
        {
            Refuse(call, refusal);
        }
        catch (OutOfMemoryException)
        {
            call.Fail(Errno.ENOMEM);
        }
        finally
        {
            clients.Return(client);
        }
    }

    private static void Refuse(TracedCall call, DmException refusal)
    {
        DmVersion ours = DmVersion.Current; // is written back whatever happens
        call.Write(call.Argument(2), MemoryMarshal.AsBytes<uint>([ours.Major, ours.Minor, ours.Patch]));

        // The devices have gone with their daemon: who waits for events of one, as dmeventd, gives up by ENXIO only.
        call.Fail(refusal.Errno is Errno.ECONNRESET or Errno.EPROTO ? Errno.ENXIO : refusal.Errno);
    }
}
