using System.Buffers.Binary;
using System.Security.Cryptography;
using DeviceMapper;
using DeviceMapper.Ioctl;
using DeviceMapper.Native;

namespace Udm.Run;

/// <summary>Passes the ioctls on control nodes to the daemon, and its answers back into the caller's memory.</summary>
internal sealed class IoctlCalls(ControlClients clients, GivenKeys keys)
{
    private const int DataSizeOffset = 12, VersionSize = 12;
    private const int SmallSize = 64 * 1024; // up to this, memory is made before it is looked whether the caller has as much

    // How often it is looked whether the caller of an ioctl that takes its time still lives, and has no signal.
    private static readonly TimeSpan LifeCheck = TimeSpan.FromMilliseconds(100);

    /// <summary>Whether a call never waits.</summary>
    public static bool IsBrief(TracedCall call) => Command(call).IsBrief();

    /// <summary>Carries one out, on this thread: it may take as long as it likes.</summary>
    public void Run(TracedCall call, ControlFile file)
    {
        try
        {
            Execute(call, file);
        }
        catch (DmException refusal)
        {
            // The devices have gone with their daemon: who waits for events of one, as dmeventd, gives up by ENXIO only.
            call.Fail(refusal.Errno is Errno.ECONNRESET or Errno.EPROTO ? Errno.ENXIO : refusal.Errno);
        }
        catch (OutOfMemoryException)
        {
            call.Fail(Errno.ENOMEM); // its buffer may have up to 1 GiB, as in the kernel
        }
    }

    private static DmCommand Command(TracedCall call) => (DmCommand)(call.Argument(1) & 0xff);

    private void Execute(TracedCall call, ControlFile file)
    {
        ulong address = call.Argument(2);
        uint number = (uint)call.Argument(1);
        DmCommand command = Command(call);
        byte[] request = new byte[DmIoctl.FixedSize];
        if (!call.Read(address, request))
        {
            call.Fail(Errno.EFAULT);
            return;
        }

        // A size that is wrong, or more than is there, is refused by the daemon after the versions: it is given the struct alone, as where
        // there is no payload.
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(request.AsSpan(DataSizeOffset));
        bool refused = size is < DmIoctl.FixedSize or > DmIoctl.MaxDataSize;
        bool plain = command == DmCommand.Version || command.IgnoresPayload() || refused || !ReadWhole(call, address, size, ref request);

        if (command.IgnoresPayload() && !refused)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(request.AsSpan(DataSizeOffset), DmIoctl.FixedSize);
        }

        bool secret = (BitConverter.ToUInt32(request, 28) & (uint)DmFlags.SecureData) != 0;
        try
        {
            if (secret && size > DmIoctl.HeaderSize && !plain)
            {
                call.Write(address + DmIoctl.HeaderSize, new byte[size - DmIoctl.HeaderSize]); // as the kernel clears it
            }

            DmIoctl answer = Ask(call, number, request);
            if (command == DmCommand.DevArmPoll)
            {
                file.Arm();
            }

            int meant = (int)Math.Min(Math.Max(answer.DataSize, VersionSize), (uint)Math.Min(answer.Bytes.Length, request.Length));
            bool written = call.Write(address, answer.Bytes[..meant]);
            if (secret)
            {
                answer.Wipe();
            }

            if (written)
            {
                call.Succeed();
            }
            else
            {
                call.Fail(Errno.EFAULT);
            }
        }
        catch (DmException)
        {
            DmIoctl ours = new(DmIoctl.HeaderSize) { Version = DmVersion.Current };
            call.Write(address, ours.Bytes[..VersionSize]); // ours is written back whatever happens
            throw;
        }
        finally
        {
            if (secret)
            {
                CryptographicOperations.ZeroMemory(request);
            }
        }
    }

    /// <summary>Reads a request with its payload. False, and nothing is changed, where the caller has less memory than that.</summary>
    private static bool ReadWhole(TracedCall call, ulong address, uint size, ref byte[] request)
    {
        if (size > SmallSize && !call.Read(address + size - 1, stackalloc byte[1]))
        {
            return false;
        }

        byte[] whole = GC.AllocateUninitializedArray<byte>((int)size, pinned: true);
        if (!call.Read(address, whole))
        {
            return false;
        }

        request = whole;
        return true;
    }

    /// <summary>
    /// A caller that is killed takes its call with it: the connection is closed, and the daemon undoes what waits. A signal ends the ioctls
    /// that the kernel lets it end; our filter has the kernel hold it back until the answer.
    /// </summary>
    private DmIoctl Ask(TracedCall call, uint number, byte[] request)
    {
        if (IsBrief(call))
        {
            return clients.Use(client => client.Forward(number, request)).Ioctl;
        }

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
        return clients.Use(client =>
        {
            if (Command(call) is DmCommand.TableLoad or DmCommand.TargetMessage)
            {
                keys.GiveNamed(call, request, client);
            }

            return client.Forward(number, request, gone.Token);
        }).Ioctl;
    }
}
