using Bft.Fuzz.Samples;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;

namespace Bft.Fuzz.Targets;

/// <summary>Cursors that an application keeps.</summary>
internal sealed class CursorTarget() : Target<Cursor?>("cursor")
{
    private const int CountAt = 1 + 2 + 6;

    public override IEnumerable<Seed> Seeds()
    {
        Cursor cursor = new(new Topic("orders"));
        cursor.Advance(World.Batches[2].Reference);
        cursor.Set(World.Batches[4].Reference.Stream, new CursorPosition(new Sequence(3), World.Batches[4].Digest, 1));
        return Edges.Of("two", cursor.Encode(), CountAt).Concat(Edges.Of("none", new Cursor(new Topic("orders")).Encode(), CountAt));
    }

    protected override Cursor? Decode(byte[] input) => Cursor.TryParse(input, out Cursor? cursor) ? cursor : null;

    protected override Outcome Judge(byte[] input, Cursor? decoded)
    {
        if (decoded is null)
        {
            return Outcome.Rejected();
        }

        OracleException.RequireSame(input, decoded.Encode(), "A cursor");
        return Outcome.Accepted.Sized(decoded.Positions.Count);
    }
}
