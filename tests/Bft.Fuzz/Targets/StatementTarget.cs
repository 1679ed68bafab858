using Bft.Fuzz.Samples;
using Bft.Protocol.Verification;

namespace Bft.Fuzz.Targets;

/// <summary>Batch statements: one meaning, one encoding.</summary>
internal sealed class StatementTarget() : Target<(BatchStatement? Statement, RejectReason Reason)>("statement")
{
    private const int ChunkCountAt = 193;

    public override IEnumerable<Seed> Seeds() =>
        World.Batches.SelectMany((batch, index) => Edges.Of($"batch{index}", batch.Statement.Statement.Bytes.ToArray(), index == 1 ? [ChunkCountAt, ChunkCountAt + 4, ChunkCountAt + 8] : []));

    protected override (BatchStatement? Statement, RejectReason Reason) Decode(byte[] input) =>
        (BatchStatement.TryParse(World.Committee.Cluster, input, out BatchStatement? statement, out RejectReason reason) ? statement : null, reason);

    protected override Outcome Judge(byte[] input, (BatchStatement? Statement, RejectReason Reason) decoded)
    {
        if (decoded.Statement is not { } statement)
        {
            OracleException.Require(decoded.Reason != RejectReason.None, "A refusal has a reason.");
            return Outcome.Rejected((int)decoded.Reason);
        }

        BatchStatement again = BatchStatement.Create(statement.Header, statement.Sequence, statement.Ancestor, statement.Body);
        OracleException.RequireSame(input, again.Bytes.Span, "A statement");
        OracleException.Require(again.Reference == statement.Reference, "The same bytes name two batches.");
        return Outcome.Accepted.With((ulong)statement.Ancestor.Kind).With((ulong)statement.Body.Encoding).Sized(statement.Header.Topic.Length);
    }
}
