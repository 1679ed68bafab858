namespace Bft.Sim;

/// <summary>Nothing that a peer can fill grows beyond its bound.</summary>
internal sealed class Bounded : Checker
{
    public override string Name => "bounded";

    public override void OnAmount(int party, string what, long amount, long bound)
    {
#if PLANTED
        amount = Crypto.Planted.Is("canary-bounded") ? bound + 1 : amount;
#endif
        if (amount > bound)
        {
            Fail($"{NameOf(party)} keeps {amount} of its {what}; {bound} are the most.", party);
        }
    }
}
