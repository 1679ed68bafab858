using Bft.Protocol.Verification;

namespace Bft.Node;

/// <summary>Bodies whose bytes a group commit writes, and the inputs that brought them: both are given back when it is durable.</summary>
internal sealed class CommitBodies
{
    private readonly List<VerifiedBatch> _batches = [];
    private readonly List<CoreInput> _inputs = [];
    private readonly List<Action> _answers = [];

    public int Count => _batches.Count;

    public void Add(VerifiedBatch batch) => _batches.Add(batch);

    /// <summary>Sends an answer that reveals these records, once it may.</summary>
    public void Then(Action answer) => _answers.Add(answer);

    public void Keep(CoreInput input) => _inputs.Add(input);

    /// <summary>Looks among the last few: a batch that was recorded was recorded just now.</summary>
    public bool Holds(VerifiedBatch batch) => _batches.LastIndexOf(batch) >= 0;

    public void Release()
    {
        foreach (VerifiedBatch batch in _batches)
        {
            batch.BodyOwner?.Dispose();
        }

        foreach (CoreInput input in _inputs)
        {
            input.Release();
        }

        foreach (Action answer in _answers)
        {
            answer();
        }

        _answers.Clear();
        _batches.Clear();
        _inputs.Clear();
    }
}
