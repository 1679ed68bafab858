using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;
using Grpc.Net.Client;

namespace Bft.Node;

/// <summary>Fetches from a peer what is certified and missing here (W5, W8, S1). Which peer, and when another, the core decides.</summary>
internal sealed class CatchUp(Committee committee, PeerDialer dialer, CoreMailbox core, ByteBudget input, EdgeLimits limits, NodeLog log, CancellationToken stopping) : IDisposable
{
    private const int AtOnceMax = 4;

    private readonly SemaphoreSlim _places = new(AtOnceMax);
    private readonly BatchVerifier _batches = new(committee.Cluster, committee.Limits, Ed25519.Instance);

    /// <summary>Begins a fetch; bounded by the streams that are behind, of which <see cref="AtOnceMax"/> are under way at a time.</summary>
    public void Start(FetchOrder order) => _ = RunAsync(order);

    public void Dispose() => _places.Dispose();

    private async Task RunAsync(FetchOrder order)
    {
        try
        {
            await _places.WaitAsync(stopping);
            try
            {
                await FetchAsync(order);
            }
            finally
            {
                _places.Release();
            }
        }
        catch (Exception e) when (e is RpcException or TimeoutException or OperationCanceledException)
        {
            if (!stopping.IsCancellationRequested)
            {
                log.Write($"fetching {order.Stream.ToString()[..8]}/{order.From} from peer {order.Peer} failed: {e.Message}");
            }
        }
        finally
        {
            core.Post(new FetchEndedInput(order.Stream));
        }
    }

    private async Task FetchAsync(FetchOrder order)
    {
        using GrpcChannel channel = dialer.ChannelTo(order.Peer);
        using AsyncDuplexStreamingCall<IFetchRequest, IFetchReply> call = new WitnessClient(channel).Fetch(new CallOptions(cancellationToken: stopping));
        await dialer.OpenAsync(call, order.Peer);
        await call.RequestStream.WriteAsync(new FetchFrame(order.Stream, order.From, new Sequence(Sequence.MaxValue), WithBodies: true));

        ByteBudget budget = new(limits.InputBytesPerCallMax, input);
        RangeVerifier verifier = new(new AckVerifier(committee, Ed25519.Instance, NodeLimits.Default.RememberedRootsMax), _batches);
        Dictionary<Sequence, VerifiedStatement> wanted = []; // bound: one certified range
        while (await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(limits.HelloTimeout))
        {
            switch (call.ResponseStream.Current)
            {
                case CertifiedFrame certified:
                    await OnCertifiedAsync(order, certified, verifier, wanted, budget);
                    break;
                case BodyFrame body:
                    await OnBodyAsync(body, wanted, budget);
                    break;
                case FetchedFrame:
                    return;
                case MalformedFrame malformed:
                    throw Lied(malformed.Reason);
                default:
                    break;
            }
        }
    }

    private async ValueTask OnCertifiedAsync(
        FetchOrder order, CertifiedFrame frame, RangeVerifier verifier, Dictionary<Sequence, VerifiedStatement> wanted, ByteBudget budget)
    {
        if (!verifier.TryVerify(frame, out VerifiedCertificate? certificate, out VerifiedStatement[] statements, out RejectReason reason))
        {
            throw Lied(reason);
        }

        if (certificate.Batch.Stream != order.Stream)
        {
            throw Lied(RejectReason.OtherParty);
        }

        wanted.Clear();
        foreach (VerifiedStatement statement in statements)
        {
            wanted.Add(statement.Sequence, statement);
        }

        int bytes = FrameBytes.Of(frame);
        await budget.TakeAsync(bytes, stopping);
        core.Post(new CertificateInput(certificate, statements) { Budget = budget, Bytes = bytes });
    }

    private async ValueTask OnBodyAsync(BodyFrame frame, Dictionary<Sequence, VerifiedStatement> wanted, ByteBudget budget)
    {
        if (!wanted.Remove(frame.Slot.Sequence, out VerifiedStatement? statement) || statement.Reference.Slot != frame.Slot)
        {
            throw Lied(RejectReason.OtherParty);
        }

        if (!_batches.TryVerifyBody(statement, frame.Body, frame.BodyOwner, out VerifiedBatch? batch, out RejectReason reason))
        {
            throw Lied(reason);
        }

        int bytes = frame.Body.Length + statement.Statement.Bytes.Length;
        await budget.TakeAsync(bytes, stopping);
        core.Post(new BatchInput(batch) { Budget = budget, Bytes = bytes });
    }

    private static RpcException Lied(RejectReason reason) => new(new Status(StatusCode.DataLoss, $"what the peer sent does not hold: {reason}"));
}
