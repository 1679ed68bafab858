using System.Globalization;
using System.Text.Json;
using Bft.Bench.Planning;
using Bft.Cli.Output;
using Bft.Protocol.Membership;
using Spectre.Console;

namespace Bft.Cli.Commands;

/// <summary>What `bft plan` shows: tables, or a line of JSON for each of their rows.</summary>
internal sealed class PlanView(Session session)
{
    private const double Mega = 1e6;
    private const double Giga = 1e9;
    private const double SimulatedSeconds = 5;
    private static readonly int[] Committees = [4, 7, 10, 16, 31, 64];
    private static readonly double[] QueueTimes = [1, 10, 60, 600, 3600];

    /// <summary>Says what goes on while something is measured.</summary>
    public BenchView Bench { get; } = new(session, isMachineShown: false);

    public void Show(StageCosts costs, Plan plan, int seed)
    {
        if (session.IsJson)
        {
            session.Json.Write("costs", fields =>
            {
                using JsonDocument document = JsonDocument.Parse(costs.ToJson());
                foreach (JsonProperty cost in document.RootElement.EnumerateObject())
                {
                    cost.WriteTo(fields);
                }
            });
        }

        ShowStages(plan);
        ShowPath(plan);
        PlanSimulation simulation = PlanSimulation.Run(costs, plan.Deployment, plan.Rate, SimulatedSeconds, seed);
        PlanSimulation fast = PlanSimulation.Run(costs, plan.Deployment, double.PositiveInfinity, SimulatedSeconds, seed);
        ShowQueues(plan, simulation);
        ShowOthers(costs, plan);
        ShowPlan(plan, simulation, fast);
    }

    /// <returns><see cref="ExitCode.Slower"/> when a prediction is off by more than <see cref="Validated.ErrorMax"/>.</returns>
    public ExitCode Show(IReadOnlyList<Validated> validated)
    {
        Table table = NewTable("validated", "predicted", "simulated", "measured", "error", "of the simulation", "");
        foreach (Validated one in validated)
        {
            table.AddRow(Markup.Escape(one.Name), Text(one.Predicted), Text(one.Simulated), Text(one.Measured), Percent(one.Error), Percent(one.SimulationError), one.IsMet ? "" : "[red]off[/]");
            Write("validation", ("name", one.Name), ("predicted", one.Predicted), ("simulated", one.Simulated), ("measured", one.Measured), ("error", one.Error), ("simulationError", one.SimulationError), ("isMet", one.IsMet));
        }

        Show(table);
        int off = validated.Count(one => !one.IsMet);
        session.Say(string.Create(CultureInfo.InvariantCulture, $"{off} of {validated.Count} predictions are off by more than {Validated.ErrorMax:P0}."));
        return off > 0 ? ExitCode.Slower : ExitCode.Ok;
    }

    private void ShowStages(Plan plan)
    {
        Table table = NewTable("stage", "messages/s at most", "busy", "batches there");
        foreach (Stage stage in plan.Full.Stages())
        {
            Stage now = plan.Times.Stages().Single(one => one.Name == stage.Name);
            (double busy, double queue) = (plan.BatchesPerSecond * now.SecondsPerBatch, plan.QueueOf(now));
            table.AddRow(Markup.Escape(stage.Name), Text(stage.Capacity), Percent(busy), now.IsWindow ? "" : Text(queue));
            Write("stage", ("name", stage.Name), ("capacityPerSecond", stage.Capacity), ("busy", busy), ("queuedBatches", now.IsWindow ? null : queue), ("isSlowest", stage.Name == plan.Slowest.Name));
        }

        Show(table);
    }

    private void ShowPath(Plan plan)
    {
        Table table = NewTable("way of a batch (ms)", "M/B", "L", "P", "sum");
        foreach ((string end, IEnumerable<PathStep> steps) in new[] { ("certified", plan.Times.PathToCertified()), ("delivered", plan.Times.PathToDelivered()) })
        {
            foreach (PathStep step in steps)
            {
                Write("step", ("to", end), ("name", step.Name), ("transferMilliseconds", step.Transfer * 1e3), ("delayMilliseconds", step.Delay * 1e3), ("workMilliseconds", step.Work * 1e3));
                if (end == "delivered")
                {
                    table.AddRow(Markup.Escape(step.Name), Text(step.Transfer * 1e3), Text(step.Delay * 1e3), Text(step.Work * 1e3), Text(step.Seconds * 1e3));
                }
            }
        }

        Show(table);
    }

    private void ShowQueues(Plan plan, PlanSimulation simulation)
    {
        Table table = NewTable("sent and not certified", "after (s)", "messages", "MB");
        IEnumerable<(string Name, double Seconds, double Messages)> rows =
            [.. QueueTimes.Select(at => ("predicted", at, plan.QueueAt(at))), .. simulation.Queue.Select(sample => ("simulated", sample.Seconds, sample.Messages))];
        foreach ((string name, double seconds, double messages) in rows)
        {
            table.AddRow(name, Text(seconds), Text(messages), Text(messages * plan.Deployment.Size / Mega));
            Write("queue", ("by", name), ("seconds", seconds), ("messages", messages), ("bytes", messages * plan.Deployment.Size));
        }

        Show(table);
    }

    /// <summary>The same messages with more witnesses and longer links.</summary>
    private void ShowOthers(StageCosts costs, Plan plan)
    {
        Table table = NewTable("witnesses", [.. Link.Presets.SelectMany(link => new[] { $"{link.Name}: messages/s", "ms" })]);
        foreach (int count in Committees)
        {
            List<string> cells = [count.ToString(CultureInfo.InvariantCulture)];
            foreach (Link link in Link.Presets)
            {
                Plan other = Plan.Of(costs, plan.Deployment with { Witnesses = new CommitteeSize(count), Link = link });
                Plan same = Plan.Of(costs, other.Deployment, plan.Rate);
                cells.AddRange([Text(other.Capacity), same.Fits ? Text(same.DeliveredSeconds * 1e3) : "–"]);
                Write("other", ("witnesses", count), ("link", link.Name), ("capacityPerSecond", other.Capacity), ("fits", same.Fits), ("deliveredMilliseconds", same.Fits ? same.DeliveredSeconds * 1e3 : null));
            }

            table.AddRow([.. cells.Select(Markup.Escape)]);
        }

        Show(table);
    }

    private void ShowPlan(Plan plan, PlanSimulation simulation, PlanSimulation fast)
    {
        Deployment what = plan.Deployment;
        double egress = (plan.PublisherEgress * what.Publishers) + (plan.WitnessEgress * what.Witnesses.Count);
        Write(
            "plan", ("witnesses", what.Witnesses.Count), ("publishers", what.Publishers), ("receivers", what.Receivers), ("payloadBytes", what.Size), ("ratePerSecond", plan.Rate), ("link", what.Link.Name),
            ("bandwidthBytesPerSecond", what.Link.BytesPerSecond), ("delayMilliseconds", what.Link.DelaySeconds * 1e3), ("cores", what.Cores), ("shared", what.IsShared),
            ("capacityPerSecond", plan.Capacity), ("simulatedCapacityPerSecond", fast.PerSecond), ("slowest", plan.Slowest.Name), ("fits", plan.Fits), ("growthPerSecond", plan.Growth),
            ("secondsUntilPublishersWait", plan.Fits ? null : plan.Room / plan.Growth), ("batchMessages", plan.BatchMessages), ("simulatedBatchMessages", simulation.BatchMessages),
            ("certifiedMilliseconds", plan.Fits ? plan.CertifiedSeconds * 1e3 : null), ("simulatedCertifiedMillisecondsP50", simulation.CertifiedP50 * 1e3), ("simulatedCertifiedMillisecondsP99", simulation.CertifiedP99 * 1e3),
            ("deliveredMilliseconds", plan.Fits ? plan.DeliveredSeconds * 1e3 : null), ("simulatedDeliveredMillisecondsP50", simulation.DeliveredP50 * 1e3), ("simulatedDeliveredMillisecondsP99", simulation.DeliveredP99 * 1e3),
            ("publisherEgressBytesPerDay", Plan.PerDay(plan.PublisherEgress)), ("witnessEgressBytesPerDay", Plan.PerDay(plan.WitnessEgress)), ("egressBytesPerDay", Plan.PerDay(egress)), ("egressBytesPerMonth", Plan.PerMonth(egress)),
            ("diskBytesPerDayPerWitness", Plan.PerDay(plan.WitnessDisk)), ("diskBytesPerMonthPerWitness", Plan.PerMonth(plan.WitnessDisk)), ("keptBytesPerWitness", plan.KeptBytes));

        Table table = NewTable("plan", "predicted", "simulated");
        table.AddRow("messages/s at most", Text(plan.Capacity), Text(fast.PerSecond));
        table.AddRow("messages per batch", Text(plan.BatchMessages), Text(simulation.BatchMessages));
        table.AddRow("certified, mean and p50 (ms)", plan.Fits ? Text(plan.CertifiedSeconds * 1e3) : "–", Text(simulation.CertifiedP50 * 1e3));
        table.AddRow("delivered, mean and p50 (ms)", plan.Fits ? Text(plan.DeliveredSeconds * 1e3) : "–", Text(simulation.DeliveredP50 * 1e3));
        Row("sent by each publisher", plan.PublisherEgress);
        Row("sent by each witness", plan.WitnessEgress);
        Row("sent by all", egress);
        Row("written by each witness", plan.WitnessDisk);
        Show(table);
        session.Say(string.Create(CultureInfo.InvariantCulture, $"Slowest: {plan.Slowest.Name}, {Text(plan.Capacity)} messages/s. ") + (plan.Fits
            ? string.Create(CultureInfo.InvariantCulture, $"{Text(plan.Rate)}/s fits, at {plan.Rate / plan.Capacity:P0} of it.")
            : string.Create(CultureInfo.InvariantCulture, $"{Text(plan.Rate)}/s does not fit: the queue grows by {Text(plan.Growth)} messages/s, and publishers wait from {Text(plan.Room / plan.Growth)} s on.")));
        session.Say(plan.KeptBytes is { } kept ? $"Kept on each witness: {Text(kept / Giga)} GB." : "Kept on each witness: all (no retention).");

        void Row(string name, double perSecond) => table.AddRow(
            name, string.Create(CultureInfo.InvariantCulture, $"{Text(perSecond / Mega)} MB/s, {Text(Plan.PerDay(perSecond) / Giga)} GB a day, {Text(Plan.PerMonth(perSecond) / Giga)} GB in 30 days"), "");
    }

    private static Table NewTable(string first, params string[] others)
    {
        Table table = new() { Border = TableBorder.Simple };
        table.AddColumn(new TableColumn(Markup.Escape(first)));
        foreach (string other in others)
        {
            table.AddColumn(new TableColumn(Markup.Escape(other)).RightAligned());
        }

        return table;
    }

    private static string Percent(double share) => share.ToString("P0", CultureInfo.InvariantCulture);

    /// <summary>Three digits that say something.</summary>
    private static string Text(double value) => !double.IsFinite(value) ? "–" : value.ToString(Math.Abs(value) switch { >= 100 => "N0", >= 10 => "N1", >= 1 or 0 => "N2", _ => "0.00##" }, CultureInfo.InvariantCulture);

    private void Show(Table table)
    {
        if (!session.IsJson)
        {
            Screen.Out.Write(table);
        }
    }

    private void Write(string kind, params (string Name, object? Value)[] values)
    {
        if (!session.IsJson)
        {
            return;
        }

        session.Json.Write(kind, fields =>
        {
            foreach ((string name, object? value) in values)
            {
                switch (value)
                {
                    case string text:
                        fields.WriteString(name, text);
                        break;
                    case bool isSo:
                        fields.WriteBoolean(name, isSo);
                        break;
                    case int count:
                        fields.WriteNumber(name, count);
                        break;
                    case double number when double.IsFinite(number):
                        fields.WriteNumber(name, Math.Round(number, 4));
                        break;
                    default:
                        fields.WriteNull(name);
                        break;
                }
            }
        });
    }
}
