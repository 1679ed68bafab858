using System.Buffers.Binary;
using System.Threading.Channels;
using Grpc.Core;

namespace Bft.Bench.Floors;

/// <summary>What is left of a witness in the transport floor: takes bytes, writes them, says how many pieces are durable, and passes them on to receivers. It looks at nothing.</summary>
[BindServiceMethod(typeof(DiscardService), nameof(BindService))]
internal sealed class DiscardService : IDisposable
{
    public static readonly Method<Piece, Piece> SendMethod = new(MethodType.DuplexStreaming, "bft.bench.Discard", nameof(Send), Piece.Marshaller, Piece.Marshaller);
    public static readonly Method<Piece, Piece> TakeMethod = new(MethodType.DuplexStreaming, "bft.bench.Discard", nameof(Take), Piece.Marshaller, Piece.Marshaller);

    private const int PiecesAhead = 16; // bound of each queue; a piece is a batch

    private readonly Channel<(Piece Piece, ChannelWriter<bool> Durable)> _arrived = Channel.CreateBounded<(Piece, ChannelWriter<bool>)>(PiecesAhead);
    private readonly BareJournal _journal;
    private readonly Thread _writing;
    private volatile Channel<Piece>[] _receivers = [];

    public DiscardService(BareJournal journal)
    {
        _journal = journal;
        _writing = new Thread(Write) { Name = "journal", IsBackground = true };
        _writing.Start();
    }

    public static void BindService(ServiceBinderBase binder, DiscardService? service)
    {
        binder.AddMethod(SendMethod, service is null ? null : new DuplexStreamingServerMethod<Piece, Piece>(service.Send));
        binder.AddMethod(TakeMethod, service is null ? null : new DuplexStreamingServerMethod<Piece, Piece>(service.Take));
    }

    /// <summary>How many pieces of a call an answer says are durable.</summary>
    public static int CountOf(Piece answer) => BinaryPrimitives.ReadInt32LittleEndian(answer.Bytes.Span);

    public async Task Send(IAsyncStreamReader<Piece> requestStream, IServerStreamWriter<Piece> responseStream, ServerCallContext context)
    {
        Channel<bool> durable = Channel.CreateUnbounded<bool>(); // bound: what is between two flushes
        Task answering = AnswerAsync(durable.Reader, responseStream);
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            await _arrived.Writer.WriteAsync((requestStream.Current, durable.Writer), context.CancellationToken);
        }

        durable.Writer.TryComplete();
        await answering;
    }

    public async Task Take(IAsyncStreamReader<Piece> requestStream, IServerStreamWriter<Piece> responseStream, ServerCallContext context)
    {
        Channel<Piece> pieces = Channel.CreateBounded<Piece>(PiecesAhead);
        lock (_journal)
        {
            _receivers = [.. _receivers, pieces];
        }

        await foreach (Piece piece in pieces.Reader.ReadAllAsync(context.CancellationToken))
        {
            await responseStream.WriteAsync(piece);
            piece.Release();
        }
    }

    public void Dispose()
    {
        _arrived.Writer.TryComplete();
        _writing.Join();
        _journal.Dispose();
    }

    private static async Task AnswerAsync(ChannelReader<bool> durable, IServerStreamWriter<Piece> responses)
    {
        while (await durable.WaitToReadAsync())
        {
            int count = 0;
            while (durable.TryRead(out _))
            {
                count++;
            }

            byte[] answer = new byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(answer, count);
            await responses.WriteAsync(new Piece(answer));
        }
    }

    private void Write()
    {
        List<(Piece Piece, ChannelWriter<bool> Durable)> written = [];
        while (Wait(_arrived.Reader.WaitToReadAsync()))
        {
            while (_arrived.Reader.TryRead(out (Piece Piece, ChannelWriter<bool> Durable) next))
            {
                written.Add(next);
                if (_journal.Write(next.Piece.Bytes))
                {
                    written.ForEach(Pass);
                    written.Clear();
                }
            }
        }
    }

    private void Pass((Piece Piece, ChannelWriter<bool> Durable) written)
    {
        Channel<Piece>[] receivers = _receivers;
        written.Piece.Share(receivers.Length);
        written.Piece.Release();
        written.Durable.TryWrite(true);
        foreach (Channel<Piece> receiver in receivers)
        {
            // A receiver that lags holds everybody up, as the whole is as fast as its slowest part.
            while (!receiver.Writer.TryWrite(written.Piece) && Wait(receiver.Writer.WaitToWriteAsync()))
            {
            }
        }
    }

    private static bool Wait(ValueTask<bool> waiting) => waiting.AsTask().GetAwaiter().GetResult();
}
