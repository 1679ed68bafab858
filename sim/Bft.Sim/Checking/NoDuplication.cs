using Bft.Protocol.Model;
using Bft.Protocol.Receiving;

namespace Bft.Sim;

/// <summary>Once per cursor: never again after the application committed it, and until then only after a crash, with the mark of a possible repeat.</summary>
internal sealed class NoDuplication : Checker
{
    private readonly Dictionary<(int Receiver, StreamId Stream), ulong> _committed = [];
    private readonly Dictionary<(int Receiver, Slot Slot), int> _delivered = [];
    private readonly Dictionary<int, int> _runs = [];

    public override string Name => "no-duplication";

    public override void OnStarted(int party) => _runs[party] = _runs.GetValueOrDefault(party) + 1;

    public override void OnCommitted(int receiver, StreamId stream, Sequence next)
    {
        _committed.TryGetValue((receiver, stream), out ulong before);
        _committed[(receiver, stream)] = Math.Max(before, next.Value);
    }

    public override void OnDelivered(int receiver, Delivery delivery, bool isPossibleRepeat)
    {
        Slot slot = delivery.Batch.Reference.Slot;
        Take(receiver, slot, isPossibleRepeat);
#if PLANTED
        if (Crypto.Planted.Is("canary-no-duplication"))
        {
            Take(receiver, slot, isPossibleRepeat);
        }
#endif
    }

    private void Take(int receiver, Slot slot, bool isPossibleRepeat)
    {
        int run = _runs.GetValueOrDefault(receiver);
        if (_committed.TryGetValue((receiver, slot.Stream), out ulong next) && slot.Sequence.Value < next)
        {
            Fail($"{NameOf(receiver)} delivered slot {slot} again after it had committed slot {next - 1}.", receiver);
        }
        else if (_delivered.TryGetValue((receiver, slot), out int before))
        {
            if (before == run)
            {
                Fail($"{NameOf(receiver)} delivered slot {slot} twice in one run.", receiver);
            }
            else if (!isPossibleRepeat)
            {
                Fail($"{NameOf(receiver)} delivered slot {slot} again after a restart, and did not say that it may be a repeat.", receiver);
            }
        }

        _delivered[(receiver, slot)] = run;
    }
}
