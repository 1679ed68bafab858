namespace Bft.Sim;

/// <summary>A correct party never throws: not on bytes, not on a restart from a sound disk.</summary>
internal sealed class NoCrash : Checker
{
    public override string Name => "no-crash";

    public override void OnThrew(int party, Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        Fail($"{NameOf(party)} threw {exception.GetType().Name}: {exception.Message} {exception.StackTrace?.Split('\n')[0].Trim()}", party);
    }

#if PLANTED
    public override void OnStarted(int party)
    {
        if (Crypto.Planted.Is("canary-no-crash"))
        {
            OnThrew(party, new InvalidOperationException("The canary sings."));
        }
    }
#endif
}
