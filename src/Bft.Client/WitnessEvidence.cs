using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Client;

/// <summary>The evidence that a witness holds, each piece verified here, or why it gave none.</summary>
/// <param name="Witness">Which one.</param>
/// <param name="Evidence">At most one about each witness and client of the cluster.</param>
/// <param name="Problem">Null when it answered in full.</param>
public sealed record WitnessEvidence(WitnessIndex Witness, IReadOnlyList<VerifiedEvidence> Evidence, string? Problem)
{
    internal static async Task<WitnessEvidence> AskAsync(WitnessConnection connection, Session session, ClusterFile cluster, CancellationToken cancellationToken)
    {
        List<VerifiedEvidence> held = [];
        string? problem = await Question.AskAsync(connection, limit => ReadAsync(connection, session, cluster, held, limit), cancellationToken).ConfigureAwait(false);
        return new WitnessEvidence(connection.Witness, held, problem);
    }

    private static async Task<string?> ReadAsync(
        WitnessConnection connection, Session session, ClusterFile cluster, List<VerifiedEvidence> held, CancellationToken cancellationToken)
    {
        EvidenceVerifier verifier = new(cluster.Committee, Ed25519.Instance);
        int offendersMax = cluster.Committee.Size.Count + cluster.Clients.Count;
        Route route = connection.Receiving;
        using AsyncDuplexStreamingCall<IEvidenceRequest, IEvidenceReply> call = route.Client.Evidence(new CallOptions(cancellationToken: cancellationToken));
        await session.OpenAsync(call, route, cancellationToken).ConfigureAwait(false);
        while (await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            if (call.ResponseStream.Current is not EvidenceFrame frame)
            {
                continue;
            }

            if (!verifier.TryVerify(frame.Proof.Span, out VerifiedEvidence? verified, out RejectReason reason))
            {
                return $"It sent evidence that proves nothing: {reason}.";
            }

            if (held.Count == offendersMax || held.Exists(known => known.Offender == verified.Offender))
            {
                return "It sent more than one piece of evidence about one key.";
            }

            held.Add(verified);
        }

        return null;
    }
}
