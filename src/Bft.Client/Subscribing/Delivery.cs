using Bft.Crypto;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;

namespace Bft.Client;

/// <summary>One message, in its stream's order (R2), or the error that every reader has in its place (R1).</summary>
/// <param name="Batch">The batch that it is part of.</param>
/// <param name="Position">Its place there, from 0.</param>
/// <param name="Content">The message refers to the batch's memory: it is valid until the enumeration moves on.</param>
public readonly record struct Delivery(DeliveredBatch Batch, int Position, DecodedMessage Content)
{
    public Topic Topic => Batch.Header.Topic;

    public StreamId Stream => Batch.Header.Id;

    /// <summary>Who signed it.</summary>
    public PublicKey Publisher => Batch.Header.Publisher;

    public Incarnation Incarnation => Batch.Header.Incarnation;

    public Sequence Sequence => Batch.Sequence;

    /// <summary>Default when there is an <see cref="Error"/>.</summary>
    public Message Message => Content.Message;

    public DecodeError Error => Content.Error;

    /// <summary>R3: an earlier run of this cursor may have delivered it.</summary>
    public bool IsRedelivery => Batch.IsRedelivery;

    /// <inheritdoc cref="DeliveredBatch.IsPossibleRepeat"/>
    public bool IsPossibleRepeat => Batch.IsPossibleRepeat;
}
