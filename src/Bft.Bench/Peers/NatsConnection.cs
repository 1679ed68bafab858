using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Bft.Bench.Peers;

/// <summary>What is done with a message; on the connection's reading thread.</summary>
internal delegate void NatsHandler(in NatsFrame message);

/// <summary>A connection to a NATS server: its text protocol, as little of it as a publisher and a consumer need.</summary>
/// <remarks>
/// No package with JetStream can be restored here, and the server is to be measured, not its driver: messages are formatted into one buffer and sent when it is full or the caller flushes, one thread reads, and a message costs no
/// allocation either way. Writing is thread-safe.
/// </remarks>
internal sealed class NatsConnection : IDisposable
{
    private const int OutBytes = 64 * 1024;
    private const int InBytes = 256 * 1024;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly Lock _writing = new();
    private readonly string _inbox = $"_INBOX.{Guid.NewGuid():N}";
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _reader;
    private byte[] _out = new byte[OutBytes];
    private int _filled;
    private int _requests;
    private volatile NatsHandler[] _handlers = [];
    private volatile bool _isDisposed;

    private NatsConnection() => _reader = new Thread(Read) { IsBackground = true, Name = "nats" };

    /// <summary>Completes, with the reason, when the connection is no more.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Called when all that had come has been handled, before more is waited for: answers that came together are counted together.</summary>
    public Action? Drained { get; set; }

    public static async Task<NatsConnection> OpenAsync(int port, CancellationToken cancellationToken)
    {
        NatsConnection connection = new();
        try
        {
            await connection._socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancellationToken);
        }
        catch
        {
            connection.Dispose();
            throw;
        }

        connection.WriteLine("""CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"lang":"bft","version":"1","protocol":1}""");
        connection._reader.Start();
        return connection;
    }

    /// <summary>Has a handler called for all messages of a subject. Before messages come: a handler more is a copy of all.</summary>
    public void Subscribe(string subject, NatsHandler handler)
    {
        lock (_writing)
        {
            _handlers = [.. _handlers, handler];
            WriteLine(string.Create(CultureInfo.InvariantCulture, $"SUB {subject} {_handlers.Length}"));
        }
    }

    /// <summary>Puts a message into the buffer, and sends the buffer when it is full.</summary>
    /// <param name="subject">Where to.</param>
    /// <param name="reply">What the subject for an answer begins with.</param>
    /// <param name="number">What it ends with.</param>
    /// <param name="payload">Copied.</param>
    public void Publish(ReadOnlySpan<byte> subject, ReadOnlySpan<byte> reply, long number, ReadOnlySpan<byte> payload)
    {
        const int fixedBytes = 4 + 1 + 20 + 1 + 10 + 2 + 2; // PUB, spaces, numbers, line ends
        lock (_writing)
        {
            MakeRoom(fixedBytes + subject.Length + reply.Length + payload.Length);
            Put("PUB "u8);
            Put(subject);
            Put(" "u8);
            Put(reply);
            PutNumber(number);
            Put(" "u8);
            PutNumber(payload.Length);
            Put("\r\n"u8);
            Put(payload);
            Put("\r\n"u8);
        }
    }

    /// <summary>Publishes nothing to a subject, now.</summary>
    public void PublishEmpty(ReadOnlySpan<byte> subject)
    {
        lock (_writing)
        {
            MakeRoom(subject.Length + 16);
            Put("PUB "u8);
            Put(subject);
            Put(" 0\r\n\r\n"u8);
            Flush();
        }
    }

    /// <summary>Sends what is in the buffer.</summary>
    public void Flush()
    {
        lock (_writing)
        {
            for (int sent = 0; sent < _filled;)
            {
                sent += _socket.Send(_out.AsSpan(sent, _filled - sent));
            }

            _filled = 0;
        }
    }

    /// <summary>One question, one answer.</summary>
    /// <exception cref="PeerFailedException">Nobody answers there, or the answer tells of an error.</exception>
    public async Task<JsonElement> RequestAsync(string subject, string body, CancellationToken cancellationToken)
    {
        TaskCompletionSource<byte[]> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int number = Interlocked.Increment(ref _requests);
        string reply = $"{_inbox}.r";
        Subscribe(string.Create(CultureInfo.InvariantCulture, $"{reply}{number}"), (in NatsFrame message) => answer.TrySetResult(message.Payload.ToArray()));
        Publish(Encoding.ASCII.GetBytes(subject), Encoding.ASCII.GetBytes(reply), number, Encoding.UTF8.GetBytes(body));
        Flush();
        await Task.WhenAny(answer.Task, Ended).WaitAsync(cancellationToken);
        byte[] json = answer.Task.IsCompleted ? await answer.Task : throw new PeerFailedException("The connection to the NATS server ended.");
        if (json.Length == 0)
        {
            throw new PeerFailedException($"Nobody answers to {subject}."); // status 503 in the headers
        }

        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.TryGetProperty("error", out JsonElement error) ? throw new PeerFailedException($"{subject}: {error.GetRawText()}") : document.RootElement.Clone();
    }

    public void Dispose()
    {
        _isDisposed = true;
        _socket.Dispose();
        if (_reader.IsAlive)
        {
            _reader.Join();
        }
    }

    private void Read()
    {
        try
        {
            byte[] buffer = new byte[InBytes];
            int filled = 0;
            while (_socket.Receive(buffer.AsSpan(filled)) is > 0 and int read)
            {
                filled += read;
                int used = 0;
                while (NatsFrame.Read(buffer.AsSpan(used, filled - used), out NatsFrame frame) is > 0 and int taken)
                {
                    used += taken;
                    Handle(in frame);
                }

                buffer.AsSpan(used, filled - used).CopyTo(buffer);
                filled -= used;
                if (filled == buffer.Length)
                {
                    Array.Resize(ref buffer, buffer.Length * 2); // bound: a message, 1 MiB as the servers are configured
                }

                Drained?.Invoke();
            }

            _ended.TrySetException(new PeerFailedException("The NATS server closed the connection."));
        }
        catch (Exception) when (_isDisposed)
        {
            _ended.TrySetResult();
        }
        catch (Exception error)
        {
            _ended.TrySetException(error);
        }
    }

    private void Handle(in NatsFrame frame)
    {
        switch (frame.Kind)
        {
            case NatsKind.Message:
                _handlers[frame.Subscription - 1](in frame);
                break;
            case NatsKind.Ping:
                WriteLine("PONG");
                break;
            case NatsKind.Error:
                throw new PeerFailedException($"The NATS server says {Encoding.UTF8.GetString(frame.Payload)}.");
            default:
                break;
        }
    }

    private void WriteLine(string line)
    {
        lock (_writing)
        {
            MakeRoom(line.Length + 2);
            Put(Encoding.ASCII.GetBytes(line));
            Put("\r\n"u8);
            Flush();
        }
    }

    private void MakeRoom(int bytes)
    {
        if (_out.Length - _filled < bytes)
        {
            Flush();
        }

        if (_out.Length < bytes)
        {
            _out = new byte[bytes];
        }
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_out.AsSpan(_filled));
        _filled += bytes.Length;
    }

    private void PutNumber(long number)
    {
        Utf8Formatter.TryFormat(number, _out.AsSpan(_filled), out int written);
        _filled += written;
    }
}
