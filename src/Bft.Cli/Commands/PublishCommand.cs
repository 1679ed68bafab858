using System.CommandLine;
using System.Globalization;
using System.Threading.Channels;
using Bft.Cli.Clusters;
using Bft.Cli.Output;
using Bft.Cli.Publishing;
using Bft.Client;
using Bft.Protocol.Model;

namespace Bft.Cli.Commands;

/// <summary>`bft publish`: sends messages, and returns when a quorum has certified each of them.</summary>
internal static class PublishCommand
{
    private static readonly TimeSpan WithoutProgress = TimeSpan.FromSeconds(60);

    /// <summary>After a signal, what is in flight gets this long to be certified.</summary>
    private static readonly TimeSpan LastMoment = TimeSpan.FromSeconds(2);

    public static Command Create(Interruption interruption)
    {
        Command command = new("publish", "Publish messages, and return when a quorum of witnesses has certified all of them.")
        {
            PublishOptions.Topic, Options.Cluster, Options.Identity, PublishOptions.Lines, PublishOptions.Message, PublishOptions.OneFile, PublishOptions.Receipt, PublishOptions.Timeout,
        };
        HelpWithExamples.Add(command, """
            Examples:
              bft publish news --cluster cluster/cluster.yaml --message hello
              bft publish rates --cluster cluster/cluster.yaml --lines rates.log --receipt rates.receipt
              tail -f app.log | bft publish log --lines -

            Runs of one identity continue one stream (its journal is beside identity.key); a second
            run at the same time has a stream of its own.
            """);
        Session.Bind(command, interruption, RunAsync);
        return command;
    }

    private static async Task<ExitCode> RunAsync(Session session)
    {
        PublishSource source = new(session);
        if (source.WhyUnclear() is { } unclear)
        {
            throw new CommandException(ExitCode.Usage, unclear);
        }

        await using Connection connection = Connection.Open(session);
        Topic topic = connection.Topic(session.Get(PublishOptions.Topic));
        if (!connection.Cluster.MayPublish(topic, connection.Client.Identity))
        {
            throw new CommandException(ExitCode.Invalid, $"the policy of topic '{topic}' does not let {connection.IdentityName} publish. Choose another --identity, or add it under topics in cluster.yaml, at every witness.");
        }

        string? receiptPath = session.Get(PublishOptions.Receipt);
        await using FileStream? receipts = receiptPath is null ? null : new FileStream(receiptPath, FileMode.Create, FileAccess.Write);
        Publisher publisher = await connection.Client.OpenPublisherAsync(
            topic, new PublisherOptions { KeepReceipts = receipts is not null, DisposeTimeout = TimeSpan.Zero }, session.Interrupted);
        Patience? patience = null;
        await using PublishRun run = new(publisher, receipts, batch =>
        {
            Volatile.Read(ref patience)?.OnProgress();
            Show(session, batch);
        });
        await using Patience waiting = new(connection.Watch, session.Get(PublishOptions.Timeout), WithoutProgress, () => run.IsWaiting, "nothing was certified", session.Interrupted);
        Volatile.Write(ref patience, waiting);
        await using (new ProgressLine(session, () => Progress(run), isHidden: source.IsTyped))
        {
            await SendAsync(session, connection, source, run, waiting);
        }

        Summarize(session, connection, publisher, run, receiptPath);
        return ExitCode.Ok;
    }

    private static async Task SendAsync(Session session, Connection connection, PublishSource source, PublishRun run, Patience patience)
    {
        try
        {
            string? problem = await source.SendAsync(run, connection.Cluster.Limits.MessageBytesMax, patience.Token);
            await run.CompleteAsync(patience.Token);
            if (problem is not null)
            {
                throw new CommandException(ExitCode.Invalid, $"{problem} {Certified(run)}");
            }
        }
        catch (OperationCanceledException) when (patience.Failure is { } failure)
        {
            throw new CommandException(failure.Code, $"{failure.Message} {Certified(run)}");
        }
        catch (OperationCanceledException) when (session.Interrupted.IsCancellationRequested)
        {
            await run.CompleteAsync(CancellationToken.None).WaitAsync(LastMoment).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            session.Note($"Interrupted. {Certified(run)}");
            throw;
        }
        catch (ChannelClosedException closed) when (closed.InnerException is { } cause)
        {
            throw Explained(cause, connection, run);
        }
        catch (PublishException cause)
        {
            throw Explained(cause, connection, run);
        }
    }

    private static CommandException Explained(Exception cause, Connection connection, PublishRun run)
    {
        (ExitCode code, string message) = Failures.Of(cause);
        string evidence = cause is JournalLostException { Proof: { Ours: { } ours, Shown: { } shown } }
            ? $" Both originals are in {connection.Evidence.Save(connection.EvidenceOf(ours, shown))}."
            : "";
        return new CommandException(code, $"{message}{evidence} {Certified(run)}");
    }

    /// <summary>What holds, whatever ended the run.</summary>
    private static string Certified(PublishRun run) => run.Certified switch
    {
        0 => run.Sent == 0 ? "Nothing was published." : $"{Counted.Messages(run.Sent)} sent, of which none is known to be certified; the next run finishes what was signed.",
        long certified when certified == run.Sent => $"Certified before: {Counted.Messages(certified)}, all that was sent.",
        long certified => $"Certified before: {Counted.Messages(certified)}, the first of {run.Sent.ToString("N0", CultureInfo.InvariantCulture)} sent; the next run finishes what else was signed.",
    };

    private static string Progress(PublishRun run) => string.Create(
        CultureInfo.InvariantCulture, $"{run.Certified:N0} certified, {run.Sent - run.Certified:N0} in flight, {run.Certified / Math.Max(run.Elapsed.TotalSeconds, 0.001):N0}/s");

    private static void Show(Session session, CertifiedBatch batch)
    {
        if (session.IsJson)
        {
            session.Json.Write("certified", fields =>
            {
                fields.WriteString("stream", batch.Header.Id.ToString());
                fields.WriteNumber("sequence", batch.Sequence.Value);
                fields.WriteNumber("messages", batch.MessageCount);
                fields.WriteNumber("witnesses", batch.Certificate.WitnessCount);
            });
        }
    }

    private static void Summarize(Session session, Connection connection, Publisher publisher, PublishRun run, string? receiptPath)
    {
        double seconds = run.Elapsed.TotalSeconds;
        if (session.IsJson)
        {
            session.Json.Write("published", fields =>
            {
                fields.WriteNumber("messages", run.Certified);
                fields.WriteNumber("bytes", run.Bytes);
                fields.WriteNumber("batches", run.Batches);
                fields.WriteNumber("seconds", Math.Round(seconds, 3));
                fields.WriteString("topic", publisher.Topic.Name);
                fields.WriteString("stream", publisher.Stream?.Id.ToString());
                fields.WriteString("publisher", connection.Client.Identity.ToString());
                if (run.Batches > 0)
                {
                    fields.WriteNumber("lastSequence", run.LastSequence);
                    fields.WriteNumber("witnessesMin", run.WitnessesMin);
                }

                if (receiptPath is not null)
                {
                    fields.WriteString("receipt", receiptPath);
                }
            });
            return;
        }

        session.Say(run.Certified == 0
            ? "The input is empty: nothing was published."
            : string.Create(
                CultureInfo.InvariantCulture,
                $"✓ {Counted.Messages(run.Certified)} certified in {seconds:0.###} s, by at least {run.WitnessesMin} of {connection.Cluster.Witnesses.Count} witnesses."));
        if (receiptPath is not null && run.Certified > 0)
        {
            string cluster = session.Get(Options.Cluster) is { } named ? $" --cluster {named}" : "";
            session.Say($"  Receipts are in {receiptPath}; check them with: {Screen.Program} verify {receiptPath}{cluster}");
        }
    }
}
