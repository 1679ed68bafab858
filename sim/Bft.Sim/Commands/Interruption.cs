using System.Runtime.InteropServices;

namespace Bft.Sim;

/// <summary>SIGINT and SIGTERM: the first lets running seeds end and says what was found so far, a second one ends the process at once.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _code;

    public Interruption() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, context => On(context, ExitCode.Interrupted)),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => On(context, ExitCode.Terminated)),
    ];

    public CancellationToken Token => _source.Token;

    /// <summary>The code of the signal that came; null before.</summary>
    public ExitCode? Code => Volatile.Read(ref _code) is var code and not 0 ? (ExitCode)code : null;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void On(PosixSignalContext context, ExitCode code)
    {
        if (Interlocked.CompareExchange(ref _code, (int)code, 0) == 0)
        {
            context.Cancel = true;
            _source.Cancel();
        }
    }
}
