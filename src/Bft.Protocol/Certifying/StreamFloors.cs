using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Certifying;

/// <summary>What the witnesses say about the lower end of one stream, and when that makes a floor acceptable. Rules R4 and S3.</summary>
/// <remarks>
/// <para>Receiver and lagging witness count alike; the witness tells its own tip like anybody else's, since it is among those that lack the slot.</para>
/// <para>Why both counts: with f + 1 floors one correct witness has really cut the slot, so that it was certified; and of n − f witnesses that lack it
/// at least n − 2f are correct, so that whoever else may have it need not be waited for. Keeps three numbers per witness, whatever is told.</para>
/// </remarks>
public sealed class StreamFloors(Committee committee)
{
    private readonly Sequence?[] _floors = new Sequence?[committee.Size.Count];
    private readonly Sequence?[] _ends = new Sequence?[committee.Size.Count];
    private WitnessSet _unserving;

    /// <summary>The highest floor that this witness proved; null when it named none.</summary>
    public Sequence? FloorOf(WitnessIndex witness) => _floors[witness.Value];

    /// <summary>A witness showed its stored tip. An older one that comes later changes nothing.</summary>
    /// <param name="from">Speaks for itself alone: a tip below the truth is one of at most f lies.</param>
    /// <param name="tip">The slot; null when it says that it stores nothing of the stream.</param>
    public void OnTip(WitnessIndex from, Sequence? tip)
    {
        Sequence end = tip?.Following ?? Sequence.Zero;
        _ends[from.Value] = _ends[from.Value] is { } known && known > end ? known : end;
    }

    /// <summary>A witness named its floor. False, and nothing changed, when the certificate does not prove that there is one so high.</summary>
    /// <param name="from">Whose.</param>
    /// <param name="floor">The lowest slot whose body it keeps.</param>
    /// <param name="certificate">Of this stream; counts at or above <paramref name="floor"/> − 1.</param>
    public bool OnFloor(WitnessIndex from, Slot floor, VerifiedCertificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        if (certificate.Batch.Stream != floor.Stream || certificate.Batch.Sequence.Following < floor.Sequence)
        {
            return false;
        }

        _floors[from.Value] = _floors[from.Value] is { } known && known > floor.Sequence ? known : floor.Sequence;
        return true;
    }

    /// <summary>A witness did not serve the slot that it had named as its floor: what it names counts no more, as long as another floor is left to go on from.</summary>
    /// <remarks>
    /// Otherwise one liar names the next slot, and the next, and is believed for ever. That it lacks the slot is still counted: retention moves the floors of
    /// correct witnesses too, and without them n − f might never be reached.
    /// </remarks>
    public void OnUnserved(WitnessIndex from) => _unserving = _unserving.With(from);

    /// <summary>It served a body of the stream after all (the line may have been at fault): it counts again.</summary>
    public void OnServed(WitnessIndex from) => _unserving = _unserving.Without(from);

    /// <summary>The floor to go on from, when <paramref name="wanted"/> may be given up: n − f witnesses lack it, f + 1 of them by floor. The lowest one named by a witness that serves.</summary>
    public Sequence? Accepted(Sequence wanted)
    {
        int lacking = 0;
        int byFloor = 0;
        Sequence? lowest = null;
        Sequence? lowestServed = null;
        foreach (WitnessIndex witness in committee.Members)
        {
            if (_floors[witness.Value] is { } floor && floor > wanted)
            {
                byFloor++;
                lacking++;
                lowest = lowest < floor ? lowest : floor;
                lowestServed = _unserving.Contains(witness) || lowestServed < floor ? lowestServed : floor;
            }
            else if (_ends[witness.Value] is { } end && end <= wanted)
            {
                lacking++;
            }
        }

        return lacking >= committee.Size.Responsive && byFloor >= committee.Size.OneCorrect ? lowestServed ?? lowest : null;
    }
}
