using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Cluster.Tests.Support;

/// <summary>Every ack that a test saw, each signature verified. A witness that acked two batches in one slot stands in <see cref="Doubles"/> (W3).</summary>
internal sealed class AckBook(Committee committee)
{
    private readonly Lock _lock = new();
    private readonly AckVerifier _verifier = new(committee, Ed25519.Instance, NodeLimits.Default.RememberedRootsMax);
    private readonly Dictionary<(WitnessIndex Witness, Slot Slot), Digest> _acked = [];
    private readonly Dictionary<WitnessIndex, HashSet<Run>> _runs = [];
    private readonly List<string> _doubles = [];
    private readonly List<string> _bad = [];

    public int Count => Read(() => _acked.Count);

    /// <summary>Two acks of one witness in one slot; empty unless a witness is faulty.</summary>
    public IReadOnlyList<string> Doubles => Read(() => _doubles.ToArray());

    /// <summary>What a witness sent and no correct one sends.</summary>
    public IReadOnlyList<string> Bad => Read(() => _bad.ToArray());

    /// <summary>Runs in which this witness was seen to ack.</summary>
    public int RunsOf(int witness) => Read(() => _runs.GetValueOrDefault(new WitnessIndex(witness))?.Count ?? 0);

    public Digest? AckedBy(int witness, Slot slot) => Read(() => _acked.TryGetValue((new WitnessIndex(witness), slot), out Digest digest) ? digest : (Digest?)null);

    /// <summary>Slots of a stream that this witness was seen to ack.</summary>
    public int AcksOf(int witness, StreamId? stream = null) => Read(() => _acked.Keys.Count(key => key.Witness.Value == witness && (stream is null || key.Slot.Stream == stream)));

    public void AssertNoDoubles()
    {
        Assert.Empty(Doubles);
        Assert.Empty(Bad);
    }

    public void On(IFrame frame)
    {
        lock (_lock)
        {
            switch (frame)
            {
                case AcksFrame acks:
                    OnBundle(acks.Bundle);
                    break;
                case TipFrame tip:
                    OnCertificate(tip.Certificate);
                    break;
                case CertifiedFrame certified:
                    OnCertificate(certified.Certificate);
                    break;
                case RefusalFrame refusal:
                    OnBundle(refusal.Acks);
                    OnCertificate(refusal.Certificate);
                    break;
            }
        }
    }

    private T Read<T>(Func<T> read)
    {
        lock (_lock)
        {
            return read();
        }
    }

    private void OnBundle(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        RejectReason reason = RejectReason.Malformed;
        if (!AckBundle.TryParse(committee.Cluster, bytes.Span, out AckBundle? bundle) || !_verifier.TryVerify(bundle, out VerifiedAck[]? acks, out reason))
        {
            _bad.Add($"acks that do not hold: {reason}");
            return;
        }

        foreach (VerifiedAck ack in acks)
        {
            Note(ack.Witness, ack.Root.Statement.Run, ack.Batch);
        }
    }

    private void OnCertificate(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        if (!_verifier.TryVerifyCertificate(bytes.Span, out VerifiedCertificate? certificate, out RejectReason reason))
        {
            _bad.Add($"a certificate that does not hold: {reason}");
            return;
        }

        foreach (CertificateEntry entry in certificate.Certificate.Entries)
        {
            Note(entry.Witness, entry.Run, certificate.Batch);
        }
    }

    private void Note(WitnessIndex witness, Run run, BatchRef batch)
    {
        if (!_runs.TryGetValue(witness, out HashSet<Run>? runs))
        {
            _runs.Add(witness, runs = []);
        }

        runs.Add(run);
        if (!_acked.TryAdd((witness, batch.Slot), batch.Digest) && _acked[(witness, batch.Slot)] != batch.Digest)
        {
            _doubles.Add($"witness {witness} acked {_acked[(witness, batch.Slot)]} and {batch.Digest} in {batch.Slot}");
        }
    }
}
