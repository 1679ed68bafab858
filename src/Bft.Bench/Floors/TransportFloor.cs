using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Threading.Channels;
using Bft.Bench.Measuring;
using Bft.Bench.Running;
using Bft.Crypto;
using Grpc.Core;
using Grpc.Net.Client;

namespace Bft.Bench.Floors;

/// <summary>How fast the same bytes go through the same gRPC and TLS, between as many processes, to parties that hash, write and flush them as often as the run did, and look at nothing.</summary>
internal sealed class TransportFloor : IAsyncDisposable
{
    private const int BatchesAhead = 16; // of a publisher, for each witness
    private const int WindowBytes = 4 * 1024 * 1024; // as the client's
    private const int BatchBytesMax = 64 * 1024 * 1024;

    private readonly BatchWork _work;
    private readonly Uri[] _addresses;
    private readonly WitnessProcess[] _processes;
    private readonly List<GrpcChannel> _channels = [];
    private readonly CancellationTokenSource _stop;
    private readonly List<Task> _running = [];
    private readonly Piece _piece;
    private long _durable; // pieces, of all witnesses together
    private long _taken; // pieces, of all receivers together

    private TransportFloor(BatchWork work, string folder, Func<int, string> directoryOf, CancellationToken cancellationToken)
    {
        _work = work;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _piece = new Piece(RandomNumberGenerator.GetBytes(work.BodyBytes));
        string[] listen = [.. FreePorts.Take(work.Witnesses).Select(port => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"))];
        _addresses = [.. listen.Select(address => new Uri("https://" + address))];
        _processes = [.. listen.Select((address, index) => WitnessProcess.Start(index, DiscardParty.Arguments(directoryOf(index), address, Path.Combine(folder, $"discard-{index}"), work.WitnessFlushes)))];
    }

    /// <summary>Measures it.</summary>
    /// <param name="work">Per batch.</param>
    /// <param name="publishers">Each with connections and a journal of its own.</param>
    /// <param name="folder">For the files that are written; deleted with what is in it by whoever owns it.</param>
    /// <param name="directoryOf">Where a witness has its TLS key.</param>
    /// <param name="warmUp">Not counted.</param>
    /// <param name="time">Counted.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>By which all witnesses and receivers advance.</returns>
    public static async Task<FloorRate> MeasureAsync(
        BatchWork work, int publishers, string folder, Func<int, string> directoryOf, TimeSpan warmUp, TimeSpan time, CancellationToken cancellationToken)
    {
        await using TransportFloor floor = new(work, folder, directoryOf, cancellationToken);
        await Task.WhenAll(floor._processes.Select(process => process.WhenReadyAsync(cancellationToken)));
        for (int receiver = 0; receiver < work.Receivers; receiver++)
        {
            floor._running.Add(floor.TakeAsync(receiver % work.Witnesses));
        }

        for (int publisher = 0; publisher < publishers; publisher++)
        {
            floor.Publish(Path.Combine(folder, $"publisher-{publisher}"), work.PublisherFlushes);
        }

        await floor.DelayAsync(warmUp);
        (long begin, long durable, long taken, double cpu) = (Monotonic.Now, Interlocked.Read(ref floor._durable), Interlocked.Read(ref floor._taken), floor.CpuSeconds);
        await floor.DelayAsync(time);
        (double seconds, double cpuSeconds) = ((Monotonic.Now - begin) / 1e9, floor.CpuSeconds - cpu);
        double stored = (double)(Interlocked.Read(ref floor._durable) - durable) / work.Witnesses;
        double delivered = work.Receivers == 0 ? stored : (double)(Interlocked.Read(ref floor._taken) - taken) / work.Receivers;
        return FloorRate.Of(Math.Min(stored, delivered) * work.Messages, seconds, cpuSeconds);
    }

    private double CpuSeconds => FloorRate.CpuSecondsOf(_processes.Select(process => process.Id));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _channels.ForEach(channel => channel.Dispose());
        foreach (WitnessProcess process in _processes)
        {
            await process.KillAsync();
            process.Dispose();
        }

        _stop.Dispose();
    }

    /// <summary>Waits, and fails at once when a party does.</summary>
    private async Task DelayAsync(TimeSpan time) => await await Task.WhenAny([Task.Delay(time, _stop.Token), .. _running]);

    private void Publish(string folder, double flushes)
    {
        Channel<Piece>[] links = [.. _addresses.Select(_ => Channel.CreateBounded<Piece>(BatchesAhead))];
        foreach ((Uri address, Channel<Piece> link) in _addresses.Zip(links))
        {
            AsyncDuplexStreamingCall<Piece, Piece> call = Connect(address).AsyncDuplexStreamingCall(DiscardService.SendMethod, null, new CallOptions(cancellationToken: _stop.Token));
            _running.Add(SendAsync(link.Reader, call));
            _running.Add(CountAsync(call));
        }

        _running.Add(Task.Factory.StartNew(() => Seal(folder, flushes, links), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
    }

    /// <summary>What a publisher does for a batch before it leaves: one hash pass, and its journal (P2).</summary>
    private void Seal(string folder, double flushes, Channel<Piece>[] links)
    {
        using BareJournal journal = new(folder, flushes);
        while (!_stop.IsCancellationRequested)
        {
            Sha256.Hash(_piece.Bytes.Span);
            journal.Write(_piece.Bytes);
            foreach (Channel<Piece> link in links)
            {
                while (!link.Writer.TryWrite(_piece) && link.Writer.WaitToWriteAsync(_stop.Token).AsTask().GetAwaiter().GetResult())
                {
                }
            }
        }
    }

    private async Task SendAsync(ChannelReader<Piece> pieces, AsyncDuplexStreamingCall<Piece, Piece> call)
    {
        await foreach (Piece piece in pieces.ReadAllAsync(_stop.Token))
        {
            await call.RequestStream.WriteAsync(piece, _stop.Token);
        }
    }

    private async Task CountAsync(AsyncDuplexStreamingCall<Piece, Piece> call)
    {
        using (call)
        {
            while (await call.ResponseStream.MoveNext(_stop.Token))
            {
                Interlocked.Add(ref _durable, DiscardService.CountOf(call.ResponseStream.Current));
                call.ResponseStream.Current.Release();
            }
        }
    }

    private async Task TakeAsync(int witness)
    {
        using AsyncDuplexStreamingCall<Piece, Piece> call = Connect(_addresses[witness]).AsyncDuplexStreamingCall(DiscardService.TakeMethod, null, new CallOptions(cancellationToken: _stop.Token));
        while (await call.ResponseStream.MoveNext(_stop.Token))
        {
            Interlocked.Increment(ref _taken);
            call.ResponseStream.Current.Release();
        }
    }

    private CallInvoker Connect(Uri address)
    {
#pragma warning disable CA5359 // Bytes without meaning: whoever takes them may.
        SslClientAuthenticationOptions anybody = new() { EnabledSslProtocols = SslProtocols.Tls13, RemoteCertificateValidationCallback = static (_, _, _, _) => true };
#pragma warning restore CA5359
        SocketsHttpHandler handler = new() { UseProxy = false, UseCookies = false, InitialHttp2StreamWindowSize = WindowBytes, SslOptions = anybody };
        GrpcChannel channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true, MaxReceiveMessageSize = BatchBytesMax });
        _channels.Add(channel);
        return channel.CreateCallInvoker();
    }
}
