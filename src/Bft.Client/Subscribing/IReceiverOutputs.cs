using Bft.Protocol.Membership;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Covered = Bft.Protocol.Receiving.Delivery;

namespace Bft.Client;

/// <summary>What a <see cref="ReceiverDriver"/> wants done. Its host does it, and never calls the driver back from here.</summary>
internal interface IReceiverOutputs
{
    /// <summary>Dial, open a session, send the start frame. The driver is told by OnOpened, or by OnClosed when nothing comes of it.</summary>
    void Open(WitnessIndex witness, StartFrame start, SubscriptionChannel channel);

    /// <summary>End what was opened. The driver wants nothing more of it: no frame, and no OnClosed.</summary>
    void Close(WitnessIndex witness, SubscriptionChannel channel);

    /// <summary>R5: send these on a Publish call, on the one to this witness that is still open or on a new one. Replies are given to OnHandOverReply; a call that was silent for some seconds is closed.</summary>
    void HandOver(WitnessIndex witness, IReadOnlyList<IPublishRequest> frames);

    /// <summary>Where a subscription begins that was to begin "from now on". Comes before the first delivery.</summary>
    void Started(Cursor start);

    /// <summary>The next batch of its stream, with its body, which is the host's from here on.</summary>
    /// <param name="covered">The batch.</param>
    /// <param name="isPossibleRepeat">R3: an earlier run of the cursor may have delivered it.</param>
    void Deliver(Covered covered, bool isPossibleRepeat);

    /// <summary>R1, R4: nothing is delivered any more.</summary>
    void Forked(Fork fork, IReadOnlyList<VerifiedEvidence> evidence);

    /// <summary>f + 1 witnesses do not let the client read: a correct one does not.</summary>
    void Refused(string why);

    /// <summary>For an operator.</summary>
    void Notify(ClientNotice notice);
}
