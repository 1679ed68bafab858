using System.Collections.Concurrent;
using System.Globalization;
using Bft.Client;
using Bft.Configuration;

namespace Bft.Cli.Clusters;

/// <summary>Listens to the client library: which witnesses answer, why others do not, and what else an operator should know.</summary>
internal sealed class WitnessWatch(Session session, ClusterFile cluster, EvidenceFolder evidence)
{
    private readonly ConcurrentDictionary<int, bool> _answering = new();
    private readonly ConcurrentDictionary<int, string> _problems = new();
    private int _everReached;

    /// <summary>Witnesses with an open session.</summary>
    public int Answering => _answering.Count;

    /// <summary>Some witness answered at some time.</summary>
    public bool WasReached => Volatile.Read(ref _everReached) != 0;

    public int Quorum => cluster.Committee.Size.Quorum;

    /// <summary>On any thread.</summary>
    public void On(ClientNotice notice)
    {
        switch (notice)
        {
            case WitnessReached reached:
                Volatile.Write(ref _everReached, 1);
                _answering[reached.Witness.Value] = true;
                if (_problems.TryRemove(reached.Witness.Value, out _))
                {
                    session.Note($"Witness {reached.Witness.Value} is back.");
                }

                break;
            case WitnessLost lost:
                // Told of each new dial that fails; a person wants to know of the first one.
                if (_answering.TryRemove(lost.Witness.Value, out _))
                {
                    session.Note($"Witness {lost.Witness.Value} is lost: {Sentence(lost.Reason)}");
                }

                _problems[lost.Witness.Value] = lost.Reason;
                break;
            case WrongPin wrong:
                session.Note($"Witness {wrong.Witness.Value} shows another TLS key ({wrong.Seen}) than cluster.yaml says ({wrong.Expected}): it was renewed, or somebody stands in between.");
                break;
            case SocketPassedOver passed:
                session.Note($"Witness {passed.Witness.Value} is spoken to at its address, and not on its socket {passed.Path}: {passed.Reason}");
                break;
            case WitnessMisbehaved misbehaved:
                session.Note($"Witness {misbehaved.Witness.Value} misbehaves: {misbehaved.What}");
                break;
            case WitnessesAsked asked:
                session.Note($"{asked.Answers} of the witnesses have said what they hold of this publisher; it takes {asked.Needed} before anything is signed.");
                break;
            case JournalTrouble trouble:
                session.Note(trouble.What);
                break;
            case SlotsSkipped skipped:
                session.Note($"Stream {skipped.Stream}: the witnesses no longer keep {skipped.First} to {skipped.Floor}; skipped.");
                break;
            case EvidenceSeen seen:
                session.Note($"Evidence of a fault was met: {seen.Evidence}. It is kept in {evidence.Save(seen.Evidence)}");
                break;
            default:
                break;
        }
    }

    /// <summary>Why waiting was in vain.</summary>
    public CommandException WhyNothing(TimeSpan limit, string what)
    {
        string time = string.Create(CultureInfo.InvariantCulture, $"{limit.TotalSeconds:0.###} s");
        return Answering switch
        {
            0 => new CommandException(ExitCode.Unreachable, $"no witness could be reached within {time}. {Missing()} Start them (`bft node --help`), or correct the addresses in cluster.yaml."),
            int answering when answering < Quorum => new CommandException(
                ExitCode.UnderQuorum, $"{answering} of {cluster.Witnesses.Count} witnesses answer, and a quorum is {Quorum}. {Missing()} Start those that are missing; `bft status` shows them."),
            _ => new CommandException(ExitCode.Timeout, $"{what} for {time}. Try `bft status`, or wait longer with --timeout."),
        };
    }

    private string Missing() => string.Join(' ', cluster.Witnesses
        .Where(witness => !_answering.ContainsKey(witness.Index.Value))
        .Select(witness => $"Witness {witness.Index.Value} ({witness.Address.Authority}): {Sentence(_problems.GetValueOrDefault(witness.Index.Value) ?? "no answer.")}"));

    /// <summary>What a person needs of a call's status: Status(StatusCode="…", Detail="…").</summary>
    public static string Sentence(string text)
    {
        const string Mark = "Detail=\"";
        int at = text.IndexOf(Mark, StringComparison.Ordinal);
        string detail = at < 0 ? text : text[(at + Mark.Length)..].TrimEnd(')').TrimEnd('"');
        return detail.EndsWith('.') ? detail : detail + ".";
    }
}
