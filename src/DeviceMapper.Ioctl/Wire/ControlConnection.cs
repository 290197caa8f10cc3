using System.Net.Sockets;
using System.Text;
using DeviceMapper.Cryptography;
using DeviceMapper.Mapping;
using DeviceMapper.Native;
using Microsoft.Extensions.Logging;

namespace DeviceMapper.Ioctl;

/// <summary>One caller of <see cref="ControlServer"/>: takes its frames one after the other.</summary>
internal sealed class ControlConnection(
    Socket socket, DeviceRegistry registry, ILogger logger, TimeProvider time, Func<IReadOnlyList<string>, string>? answer) : IDisposable
{
    // A caller that has to wait longer is told for what.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly FrameStream _frames = new(socket);
    private readonly ControlSession _session = new(registry);
    private readonly Lock _sending = new();
    private readonly CancellationTokenSource _closed = new();

    /// <summary>Serves until the caller closes the connection.</summary>
    public void Run()
    {
        using ITimer patience = time.CreateTimer(_ => TellReason(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        using Hangup hangup = new(socket, _closed.Token);
        try
        {
            while (_frames.Receive() is { } frame)
            {
                if (frame.Kind == FrameKind.Call && DmCommands.CommandOf(frame.Code).IsBrief())
                {
                    Call(frame, _closed.Token);
                    continue;
                }

                patience.Change(Patience, Timeout.InfiniteTimeSpan);
                hangup.Begin();
                try
                {
                    Answer(frame, hangup.Token);
                }
                finally
                {
                    hangup.End();
                    patience.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                }
            }
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException or InvalidDataException)
        {
            logger.LogDebug("control: a connection ended: {Reason}", e.Message);
        }
        finally
        {
            Keyring.ForgetThread();
            socket.Dispose();
        }
    }

    /// <summary>Ends the connection, and what it waits for.</summary>
    public void Dispose()
    {
        _closed.Cancel();
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }
    }

    private void Answer(Frame frame, CancellationToken gone)
    {
        switch (frame.Kind)
        {
            case FrameKind.Call:
                Call(frame, gone);
                break;
            case FrameKind.Batch:
                CallEach(frame, gone);
                break;
            case FrameKind.Poll:
                Poll(gone);
                break;
            case FrameKind.Ask:
                AnswerQuestion(frame);
                break;
            case FrameKind.Key:
                TakeKey(frame);
                break;
            default:
                throw new InvalidDataException($"frame of kind {(uint)frame.Kind}");
        }
    }

    private void Poll(CancellationToken cancellation)
    {
        try
        {
            registry.WaitForEvent(_session.ArmedEvent, cancellation);
            Send(Errno.None, new Reply("", [], default));
        }
        catch (DmException e)
        {
            Send(e.Errno, new Reply(e.Message, [], default)); // the caller has gone
        }
    }

    private void Call(Frame frame, CancellationToken cancellation)
    {
        DmIoctl ioctl = DmIoctl.Over(frame.Body);
        bool secret = ioctl.Has(DmFlags.SecureData) || HoldsKeys(frame.Code); // also where a program did not say so
        try
        {
            (Errno errno, Reply reply) = Execute(frame.Code, ioctl, frame.Body.Length, cancellation);
            Send(errno, reply);
        }
        finally
        {
            if (secret)
            {
                ioctl.Wipe();
                frame.Wipe();
            }

            Keyring.ForgetThread();
        }
    }

    private void CallEach(Frame frame, CancellationToken cancellation)
    {
        using MemoryStream answers = new();
        foreach (DmIoctl ioctl in Batch.Split(frame.Body))
        {
            (Errno errno, Reply reply) = Execute(frame.Code, ioctl, ioctl.Bytes.Length, cancellation);
            Batch.Append(answers, errno, reply);
        }

        lock (_sending)
        {
            _frames.Send(FrameKind.Reply, 0, answers.GetBuffer().AsSpan(0, (int)answers.Length));
        }
    }

    private static bool HoldsKeys(uint number) => DmCommands.CommandOf(number) is DmCommand.TableLoad or DmCommand.TargetMessage;

    private (Errno Errno, Reply Reply) Execute(uint number, DmIoctl ioctl, int given, CancellationToken cancellation)
    {
        try
        {
            IReadOnlyList<string> warnings = ControlNode.Execute(registry, _session, number, ioctl, given, cancellation);
            int meant = (int)Math.Clamp(ioctl.DataSize, DmIoctl.HeaderSize, (uint)ioctl.Bytes.Length);
            return (Errno.None, new Reply("", warnings, ioctl.Memory[..meant]));
        }
        catch (DmException e)
        {
            return (e.Errno, new Reply(e.Message, [], default));
        }
        catch (Exception e)
        {
            logger.LogError(e, "control: {Command} failed", DmCommands.CommandOf(number));
            return (Errno.EIO, new Reply($"a bug of udm: {e.Message}", [], default));
        }
    }

    /// <summary>Takes a key for the next call, which this thread carries out too.</summary>
    private void TakeKey(Frame frame)
    {
        try
        {
            ReadOnlySpan<byte> body = frame.Body.Span;
            int type = body.IndexOf((byte)0), description = type < 0 ? -1 : body[(type + 1)..].IndexOf((byte)0);
            if (description < 0)
            {
                throw new InvalidDataException("a key without a name");
            }

            Keyring.AddForThread(Encoding.UTF8.GetString(body[..type]), Encoding.UTF8.GetString(body.Slice(type + 1, description)), body[(type + description + 2)..]);
            Send(Errno.None, new Reply("", [], new DmIoctl(DmIoctl.HeaderSize).Memory));
        }
        catch (DmException e)
        {
            Send(e.Errno, new Reply(e.Message, [], default));
        }
        finally
        {
            frame.Wipe();
        }
    }

    private void AnswerQuestion(Frame frame)
    {
        string[] words = Encoding.UTF8.GetString(frame.Body.Span).Split('\0')[..^1];
        try
        {
            string text = answer?.Invoke(words) ?? throw new DmException(Errno.EOPNOTSUPP, "this daemon answers no such question");
            Send(Errno.None, new Reply("", [], Encoding.UTF8.GetBytes(text)));
        }
        catch (DmException e)
        {
            Send(e.Errno, new Reply(e.Message, [], default));
        }
    }

    private void TellReason()
    {
        try
        {
            if (_session.WaitsFor?.WaitReason is { } reason)
            {
                lock (_sending)
                {
                    _frames.Send(FrameKind.Progress, 0, Encoding.UTF8.GetBytes($"waits for {reason}"));
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The caller has gone; the thread that serves it will see that.
        }
    }

    private void Send(Errno errno, Reply reply)
    {
        lock (_sending)
        {
            _frames.Send(FrameKind.Reply, (uint)errno, reply.EncodeTexts(), reply.Ioctl.Span);
        }
    }
}
