using System.Security.Cryptography;
using Bft.Cli.Output;
using Bft.Configuration;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Protocol.Receipts;

namespace Bft.Cli.Proofs;

/// <summary>What the receipts of one file prove together.</summary>
internal sealed class ReceiptSummary
{
    private readonly HashSet<Slot> _batches = [];
    private readonly Dictionary<StreamId, StreamHeader> _streams = [];
    private readonly IncrementalHash _digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _messages;
    private long _unreadable;
    private long _bytes;
    private int _witnessesMin = int.MaxValue;
    private bool _isCompared;

    public void Add(VerifiedReceipt receipt, PayloadComparison? comparison)
    {
        _isCompared = comparison is not null;
        _batches.Add(receipt.Statement.Reference.Slot);
        _streams.TryAdd(receipt.Header.Id, receipt.Header);
        _witnessesMin = Math.Min(_witnessesMin, receipt.Certificate.WitnessCount);
        foreach (ProvenMessage message in receipt.Messages)
        {
            if (message.Content.Error != DecodeError.None)
            {
                // A publisher's fault that every receiver sees alike (R1): it has a place, but no payload.
                _unreadable++;
                continue;
            }

            ReadOnlySpan<byte> payload = message.Content.Message.Payload.Span;
            _messages++;
            _bytes += payload.Length;
            _digest.AppendData(payload);
            comparison?.Append(payload);
        }
    }

    public void Show(Session session, ClusterFile cluster)
    {
        string sha256 = Convert.ToHexStringLower(_digest.GetHashAndReset());
        int quorum = cluster.Committee.Size.Quorum;
        if (session.IsJson)
        {
            session.Json.Write("verified", fields =>
            {
                fields.WriteString("kind", "receipt");
                fields.WriteNumber("messages", _messages);
                fields.WriteNumber("unreadable", _unreadable);
                fields.WriteNumber("batches", _batches.Count);
                fields.WriteNumber("bytes", _bytes);
                fields.WriteString("sha256", sha256);
                fields.WriteNumber("witnessesMin", _witnessesMin);
                fields.WriteNumber("quorum", quorum);
                fields.WriteBoolean("payloadMatches", _isCompared);
                fields.WriteStartArray("streams");
                foreach (StreamHeader stream in _streams.Values)
                {
                    fields.WriteStartObject();
                    fields.WriteString("stream", stream.Id.ToString());
                    fields.WriteString("topic", stream.Topic.Name);
                    fields.WriteString("publisher", stream.Publisher.ToString());
                    fields.WriteString("name", cluster.ClientOf(stream.Publisher)?.Name);
                    fields.WriteEndObject();
                }

                fields.WriteEndArray();
            });
            return;
        }

        session.Say($"✓ The receipt holds: {Counted.Messages(_messages)}, {Counted.Bytes(_bytes)}, in {Counted.Batches(_batches.Count)}.");
        foreach (StreamHeader stream in _streams.Values.DistinctBy(stream => (stream.Topic, stream.Publisher)))
        {
            session.Say($"  Topic {stream.Topic}, published by {cluster.ClientOf(stream.Publisher)?.Name ?? "a key that cluster.yaml does not name:"} {stream.Publisher}");
        }

        session.Say($"  Certified by at least {_witnessesMin} of {cluster.Committee.Size.Count} witnesses (a quorum is {quorum}).");
        session.Say(_isCompared ? $"  The payload is exactly these messages; SHA-256 {sha256}" : $"  SHA-256 of the messages, one after the other: {sha256}");
        if (_unreadable > 0)
        {
            session.Say($"  {Counted.Messages(_unreadable)} more, published so that no receiver can read them.");
        }
    }
}
