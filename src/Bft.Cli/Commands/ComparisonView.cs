using System.Globalization;
using Bft.Bench.Results;
using Bft.Cli.Output;
using Spectre.Console;

namespace Bft.Cli.Commands;

/// <summary>What `bench --compare` shows at its end: each figure beside the published one; or a line of JSON for each.</summary>
internal sealed class ComparisonView(Session session)
{
    /// <returns><see cref="ExitCode.Slower"/> when anything lost more than <see cref="Comparison.LossMax"/>.</returns>
    /// <exception cref="CommandException">Nothing of what was measured was published.</exception>
    public ExitCode Show(Published published, IReadOnlyList<BenchCase> measured)
    {
        Machine here = Machine.Here();
        if (published.Machine is not { } there || !there.IsLike(here))
        {
            session.Note($"The published figures are of another machine: {Name(published.Machine)}; this one is {Name(here)}. Ratios say little; what is of a floor (ofTransport, ofLight) says most.");
        }

        Table table = new() { Border = TableBorder.Simple, Title = new TableTitle(Markup.Escape($"against {published.Machine?.Date} {published.Machine?.Commit}".TrimEnd())) };
        table.AddColumns(new TableColumn("case"), new TableColumn("figure"), new TableColumn("published").RightAligned(), new TableColumn("now").RightAligned(), new TableColumn("ratio").RightAligned(), new TableColumn(""));
        (int compared, int lost) = (0, 0);
        foreach (BenchCase one in measured)
        {
            if (published.Like(one) is not { } before)
            {
                session.Note($"Nothing was published of {one.Workload}, {one.Name}, with these parameters.");
                continue;
            }

            foreach (Comparison comparison in Comparison.Of(one, before))
            {
                compared++;
                lost += comparison.IsLoss ? 1 : 0;
                table.AddRow(
                    Markup.Escape($"{one.Workload}, {one.Name}"),
                    Markup.Escape(comparison.Label),
                    Text(comparison.Published, comparison.Format),
                    Text(comparison.Measured, comparison.Format),
                    Text(comparison.Ratio, "N2"),
                    comparison.IsLoss ? "[red]loss[/]" : "");
                Write(one, comparison);
            }
        }

        if (compared == 0)
        {
            throw new CommandException(ExitCode.Usage, "nothing of what was measured was published: name workloads and sizes as they were then.");
        }

        if (!session.IsJson)
        {
            Screen.Out.Write(table);
            Screen.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{lost} of {compared} figures lost more than {Comparison.LossMax:P0}."));
        }

        return lost > 0 ? ExitCode.Slower : ExitCode.Ok;
    }

    private static string Name(Machine? machine) => machine is null ? "an unnamed one" : string.Create(CultureInfo.InvariantCulture, $"{machine.Processor}, {machine.Cores} cores");

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private void Write(BenchCase one, Comparison comparison)
    {
        if (session.IsJson)
        {
            session.Json.Write("comparison", fields =>
            {
                fields.WriteString("workload", one.Workload);
                fields.WriteString("case", one.Name);
                fields.WriteString("figure", comparison.Figure);
                fields.WriteNumber("published", comparison.Published);
                fields.WriteNumber("measured", Math.Round(comparison.Measured, 4));
                fields.WriteNumber("ratio", Math.Round(comparison.Ratio, 4));
                fields.WriteBoolean("isLoss", comparison.IsLoss);
            });
        }
    }
}
