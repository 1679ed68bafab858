using Bft.Protocol.Model;

namespace Bft.Sim;

/// <summary>Walks claims down their ancestry, slot by slot to their base; where a statement is not known yet it goes on when that is seen.</summary>
/// <param name="facts">Of the run.</param>
/// <param name="onSlot">Gets each slot that a claim reaches, with the batch there.</param>
internal sealed class ClaimWalk<TClaim>(RunFacts facts, Action<TClaim, BatchRef> onSlot)
{
    private readonly List<(TClaim Claim, BatchRef Batch, ulong Base)> _waiting = [];
    private int _statements;

    public void Add(TClaim claim, BatchRef top, ulong from)
    {
        onSlot(claim, top);
        Descend(claim, top, from);
    }

    /// <summary>To be called after anything that may have shown statements; costs a comparison when nothing did.</summary>
    public void Continue()
    {
        if (_statements == facts.Sightings.StatementCount)
        {
            return;
        }

        _statements = facts.Sightings.StatementCount;
        if (_waiting.Count > 0)
        {
            List<(TClaim Claim, BatchRef Batch, ulong Base)> waiting = [.. _waiting];
            _waiting.Clear();
            foreach ((TClaim claim, BatchRef batch, ulong from) in waiting)
            {
                Descend(claim, batch, from);
            }
        }
    }

    private void Descend(TClaim claim, BatchRef batch, ulong from)
    {
        while (batch.Sequence.Value > from)
        {
            if (facts.Sightings.Find(batch.Digest) is not { } statement)
            {
                _waiting.Add((claim, batch, from));
                return;
            }

            // A statement of another slot under this digest, or one without a predecessor, claims nothing below.
            if (statement.Batch != batch || statement.Previous is not { } previous)
            {
                return;
            }

            batch = previous;
            onSlot(claim, batch);
        }
    }
}
