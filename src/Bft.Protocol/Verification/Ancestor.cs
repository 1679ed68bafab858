using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>What a batch follows.</summary>
public enum AncestorKind : byte
{
    /// <summary>Nothing: sequence 0 without a link.</summary>
    None = 0,

    /// <summary>The batch one sequence before it in its stream.</summary>
    Previous = 1,

    /// <summary>Sequence 0 that follows a batch of a lower incarnation of the same publisher and topic.</summary>
    Link = 2,
}

/// <summary>What a batch follows, as its statement says: nothing, its predecessor, or a batch of a lower incarnation (the link).</summary>
/// <param name="Kind">Which of the three.</param>
/// <param name="Digest">The batch followed; zeros when there is none.</param>
/// <param name="Incarnation">For a link: the incarnation of the batch followed; zeros otherwise.</param>
/// <param name="Sequence">For a link: the sequence of the batch followed; zero otherwise.</param>
public readonly record struct Ancestor(AncestorKind Kind, Digest Digest, Incarnation Incarnation, Sequence Sequence)
{
    public static Ancestor None => default;

    public static Ancestor Previous(Digest digest) => new(AncestorKind.Previous, digest, default, default);

    public static Ancestor Link(Incarnation incarnation, Sequence sequence, Digest digest) => new(AncestorKind.Link, digest, incarnation, sequence);

    internal const int Length = 1 + Digest.Length + Incarnation.Length + 8;

    internal static Ancestor Read(ref StatementReader reader, StreamHeader header, Sequence sequence)
    {
        Ancestor ancestor = new((AncestorKind)reader.U8(), reader.Digest(), reader.Incarnation(), reader.Sequence());
        reader.Require(ancestor.Kind switch
        {
            // P1: every batch but the first names its predecessor; unused fields are zero, so that one meaning has one encoding.
            AncestorKind.None => sequence.IsFirst && ancestor == None,
            AncestorKind.Previous => !sequence.IsFirst && ancestor == Previous(ancestor.Digest),
            AncestorKind.Link => sequence.IsFirst && ancestor.Incarnation < header.Incarnation,
            _ => false,
        });
        return ancestor;
    }

    internal void Write(ref StatementWriter writer)
    {
        writer.U8((byte)Kind);
        writer.Digest(Digest);
        writer.Incarnation(Incarnation);
        writer.U64(Sequence.Value);
    }
}
