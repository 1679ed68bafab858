namespace Bft.Sim;

/// <summary>A command ends here. The message is one or two sentences for the person at the keyboard: what is wrong, and what to do.</summary>
internal sealed class CommandException(ExitCode code, string message) : Exception(message)
{
    public ExitCode Code { get; } = code;
}
