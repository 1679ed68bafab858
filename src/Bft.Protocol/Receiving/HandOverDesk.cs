using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Receiving;

/// <summary>R5: certificates go to the witnesses that seem to lack them; statements and bodies only to those that ask then.</summary>
internal sealed class HandOverDesk(Committee committee, ReceiverOptions options)
{
    private readonly long[] _answersFrom = new long[committee.Size.Count]; // per witness, the tick from which on it gets another answer

    public void Begin(ReceivedStream stream, VerifiedCertificate certificate, ReceiverEffects effects)
    {
#if PLANTED
        if (Crypto.Planted.Is("certificate-not-passed-on"))
        {
            return;
        }
#endif
        foreach (WitnessIndex witness in committee.Members)
        {
            if (stream.IsTipBelow(witness, certificate.Batch.Sequence))
            {
                effects.HandOvers.Add(new HandOver(witness, certificate));
            }
        }
    }

    public void Answer(WitnessIndex from, ReceivedStream stream, Sequence first, Sequence last, long now, ReceiverEffects effects)
    {
        if (now < _answersFrom[from.Value])
        {
            // Bodies are copied for an answer: nobody makes us do that all the time.
            effects.Ignored.Add(ReceiverIgnored.TooSoon);
            return;
        }

        _answersFrom[from.Value] = now + options.HandOverTicks;
        foreach ((CertifiedRange range, List<VerifiedBatch> batches) in stream.CoveredBetween(first, last, options.HandOverBytesMax))
        {
            effects.Answers.Add(new HandOverAnswer(from, range, batches));
        }
    }
}
