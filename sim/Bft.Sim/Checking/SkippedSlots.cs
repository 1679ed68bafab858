using Bft.Protocol.Model;
using Bft.Protocol.Receiving;

namespace Bft.Sim;

/// <summary>What receivers were told that they will never get, since retention cut it (S3).</summary>
internal sealed class SkippedSlots
{
    private readonly List<(int Receiver, Skipped Skipped)> _skipped = [];

    public void Add(int receiver, Skipped skipped) => _skipped.Add((receiver, skipped));

    public bool Contains(int receiver, Slot slot) => _skipped.Exists(
        entry => entry.Receiver == receiver && entry.Skipped.Stream == slot.Stream && entry.Skipped.First <= slot.Sequence && slot.Sequence < entry.Skipped.Floor);
}
