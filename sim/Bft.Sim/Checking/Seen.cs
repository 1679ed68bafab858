using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Sim;

/// <summary>A statement as the checkers read it; its digest is computed from its bytes, so it is what it is, whoever showed it.</summary>
internal sealed record SeenStatement(BatchRef Batch, PublicKey Publisher, Topic Topic)
{
    /// <summary>The batch in the slot before; null for the first.</summary>
    public BatchRef? Previous { get; init; }

    /// <summary>What a linked incarnation follows.</summary>
    public Slot? Link { get; init; }

    /// <summary>The publisher's run, as one number.</summary>
    public required UInt128 Incarnation { get; init; }

    /// <summary>The publisher says that its messages may have come before (P6).</summary>
    public required bool IsPossibleRepeat { get; init; }

    public required Digest BodyRoot { get; init; }

    public required int ChunkCount { get; init; }

    public required uint BodyLength { get; init; }
}

/// <summary>What a witness signed for one group commit.</summary>
internal readonly record struct SeenRoot(int Witness, uint Epoch, ulong Run, ulong Mark, int LeafCount, Digest Root);

/// <summary>One ack, from a bundle or from a certificate.</summary>
/// <param name="Batch">The batch acked.</param>
/// <param name="Base">The lowest slot claimed.</param>
/// <param name="Root">The root that its path leads to.</param>
/// <param name="IsPathSound">The path fits the tree, and leads to the root that the bundle names.</param>
/// <param name="Signature">Of the root.</param>
internal readonly record struct SeenAck(BatchRef Batch, ulong Base, SeenRoot Root, bool IsPathSound, Signature Signature)
{
    public int Witness => Root.Witness;
}

/// <summary>Acks of one witness under one root. Numbered in the order in which runs meet them.</summary>
internal sealed record SeenBundle(int Id, SeenRoot Root, SeenAck[] Acks);

/// <summary>A certificate, nothing about it checked yet.</summary>
internal sealed record SeenCertificate(int Id, BatchRef Batch, uint Epoch, SeenAck[] Acks)
{
    /// <summary>The lowest slot that all its acks claim.</summary>
    public ulong Base { get; } = Acks.Length == 0 ? Batch.Sequence.Value : Acks.Max(ack => ack.Base);
}

/// <summary>Evidence: whom it names, and what it shows that one.</summary>
/// <param name="Publisher">The publisher named; null when it is a witness.</param>
/// <param name="Witness">The witness named; −1 when it is a publisher.</param>
/// <param name="First">One claim in a slot.</param>
/// <param name="Second">The other.</param>
internal sealed record SeenEvidence(PublicKey? Publisher, int Witness, BatchRef First, BatchRef Second);

/// <summary>What one message says.</summary>
internal sealed class SeenFrame
{
    public static SeenFrame Empty { get; } = new();

    /// <summary>Acks that the message shows on their own.</summary>
    public SeenBundle? Bundle { get; init; }

    public SeenCertificate[] Certificates { get; init; } = [];

    /// <summary>The batch that a publisher sends.</summary>
    public SeenStatement? Batch { get; init; }

    /// <summary>What a witness shows of a publisher's originals (P6, P7).</summary>
    public IReadOnlyList<SeenStatement> Originals { get; init; } = [];

    public SeenEvidence? Evidence { get; init; }

    public bool IsEmpty => ReferenceEquals(this, Empty);
}
