using System.CommandLine;
using Bft.Cli.Clusters;
using Bft.Cli.Output;
using Bft.Cli.Subscribing;
using Bft.Client;
using Bft.Protocol.Model;

namespace Bft.Cli.Commands;

/// <summary>`bft subscribe`: writes the messages of a topic, each verified here.</summary>
internal static class SubscribeCommand
{
    public static Command Create(Interruption interruption)
    {
        Command command = new("subscribe", "Write a topic's messages, each verified here: signed by its publisher, certified by a quorum.")
        {
            SubscribeOptions.Topic, Options.Cluster, Options.Identity, SubscribeOptions.From, SubscribeOptions.Cursor, SubscribeOptions.Count,
            SubscribeOptions.Raw, SubscribeOptions.Output, SubscribeOptions.Timeout,
        };
        HelpWithExamples.Add(command, """
            Examples:
              bft subscribe news --cluster cluster/cluster.yaml
              bft subscribe rates --from earliest --count 12000 --raw > rates.log
              bft subscribe orders --cursor ledger --json | ledger

            A line of text begins with publisher, batch and position: "client 4:17". What would steer
            a terminal is shown as \x1b; --raw writes the bytes as they are.
            """);
        Session.Bind(command, interruption, RunAsync);
        return command;
    }

    private static async Task<ExitCode> RunAsync(Session session)
    {
        bool isRaw = session.Get(SubscribeOptions.Raw);
        string? cursor = session.Get(SubscribeOptions.Cursor);
        string from = session.Get(SubscribeOptions.From);
        long? count = session.Get(SubscribeOptions.Count);
        string? problem = isRaw && session.IsJson ? "choose one of --raw and --json."
            : from == SubscribeOptions.AtCursor && cursor is null ? "--from cursor needs --cursor NAME."
            : count < 1 ? "--count is at least 1."
            : null;
        SubscriptionOptions options = new() { From = from == SubscribeOptions.Latest ? StartFrom.Latest : StartFrom.Earliest, CursorName = cursor };
        if ((problem ?? options.WhyIllegal()) is { } wrong)
        {
            throw new CommandException(ExitCode.Usage, wrong);
        }

        await using Connection connection = Connection.Open(session);
        Topic topic = connection.Topic(session.Get(SubscribeOptions.Topic));
        if (!connection.Cluster.MayRead(topic, connection.Client.Identity))
        {
            throw new CommandException(ExitCode.Invalid, $"the policy of topic '{topic}' does not let {connection.IdentityName} read. Choose another --identity, or add it under topics in cluster.yaml, at every witness.");
        }

        await using Stream output = session.Get(SubscribeOptions.Output) is { } path
            ? new FileStream(path, cursor is null ? FileMode.Create : FileMode.Append, FileAccess.Write)
            : StandardOutput.Open();
        using MessageWriter writer = new(output, isRaw ? MessageFormat.Raw : session.IsJson ? MessageFormat.Json : MessageFormat.Text, connection.Cluster);
        await using Patience patience = new(connection.Watch, session.Get(SubscribeOptions.Timeout), null, () => true, "no message came", session.Interrupted);
        try
        {
            await ReadAsync(connection, topic, options, writer, count ?? long.MaxValue, patience);
        }
        catch (OperationCanceledException) when (patience.Failure is { } failure)
        {
            throw new CommandException(failure.Code, $"{failure.Message} {Delivered(writer)}");
        }
        catch (OperationCanceledException) when (session.Interrupted.IsCancellationRequested)
        {
            session.Note($"Interrupted. {Delivered(writer)}");
            throw;
        }
        catch (ForkException fork)
        {
            string[] kept = [.. fork.Evidence.Select(connection.Evidence.Save)];
            throw new CommandException(ExitCode.Evidence, $"{fork.Message} The evidence is kept in: {string.Join(", ", kept)}. {Delivered(writer)}");
        }

        Summarize(session, writer);
        return ExitCode.Ok;
    }

    private static async Task ReadAsync(Connection connection, Topic topic, SubscriptionOptions options, MessageWriter writer, long count, Patience patience)
    {
        await using Subscription subscription = await connection.Client.SubscribeAsync(topic, options, patience.Token);
        await foreach (DeliveredBatch batch in subscription.ReadBatchesAsync(patience.Token))
        {
            patience.OnProgress();
            int end = (int)Math.Min(batch.Count, batch.FirstPosition + (count - writer.Count));
            for (int position = batch.FirstPosition; position < end; position++)
            {
                writer.Write(batch[position]);
            }

            // R3: first written, then committed. What a crash comes between is delivered again.
            writer.Flush();
            if (end > batch.FirstPosition)
            {
                await subscription.CommitAsync(batch[end - 1], CancellationToken.None);
            }

            if (writer.Count >= count)
            {
                return;
            }
        }
    }

    private static string Delivered(MessageWriter writer) => $"Delivered before: {Counted.Messages(writer.Count)}.";

    private static void Summarize(Session session, MessageWriter writer)
    {
        if (!session.IsJson)
        {
            session.Note($"✓ {Counted.Messages(writer.Count)}, {Counted.Bytes(writer.Bytes)}, each verified. SHA-256 {writer.Sha256}");
            return;
        }

        session.Json.Write("end", fields =>
        {
            fields.WriteNumber("messages", writer.Count);
            fields.WriteNumber("unreadable", writer.Unreadable);
            fields.WriteNumber("bytes", writer.Bytes);
            fields.WriteString("sha256", writer.Sha256);
        });
    }
}
