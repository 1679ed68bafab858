using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Client;

/// <summary>What a <see cref="PublisherDriver"/> asks of whoever runs it; called on the driver's thread, in the middle of an input.</summary>
internal interface IPublisherOutputs
{
    /// <summary>May be lost: whatever matters is sent again.</summary>
    void Send(WitnessIndex to, IPublishRequest frame);

    /// <summary>Sends a batch, which may be lost too. Its body owner is a <see cref="SharedBody"/>: share it to keep it beyond this call.</summary>
    void Send(WitnessIndex to, BatchFrame batch, Slot slot);

    /// <inheritdoc cref="Send(WitnessIndex, BatchFrame, Slot)"/>
    void Send(BatchSend send)
    {
        SignedStatement signed = SignedStatement.From(send.Batch.Statement);
        Send(send.To, new BatchFrame(new SignedBatch(signed.Bytes, signed.Signature, send.Batch.Body, send.Batch.BodyOwner)), send.Batch.Reference.Slot);
    }

    /// <summary>P5: published for good; in the order of submission.</summary>
    /// <param name="covered">Its body is the callee's to dispose.</param>
    /// <param name="upToCertificate">Its statement and those after it, up to the certificate's own.</param>
    /// <param name="ticket">What was submitted with it; null for what the journal held.</param>
    void Covered(CoveredBatch covered, ArraySegment<VerifiedStatement> upToCertificate, object? ticket);

    /// <summary>P7: fewer than n − f witnesses have answered for a while; they are asked on.</summary>
    void Asking(int answers, int needed);

    /// <summary>A stream begins or goes on; what is submitted goes there.</summary>
    void Opened(StreamHeader stream, string why);

    /// <summary>The witness sent what no correct one sends: its session should end.</summary>
    void Misbehaved(WitnessIndex witness, string what);

    /// <summary>Nothing more is signed; what is not covered failed.</summary>
    void Ended(PublishException reason);
}
