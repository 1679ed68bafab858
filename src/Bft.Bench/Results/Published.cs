using System.Text.Json;

namespace Bft.Bench.Results;

/// <summary>What `bft bench --json` printed once.</summary>
/// <param name="Machine">Where; null when the file does not say.</param>
/// <param name="Cases">In the file's order.</param>
public sealed record Published(Machine? Machine, IReadOnlyList<BenchCase> Cases)
{
    /// <summary>Figures that say what was measured, not what came of it.</summary>
    private static readonly string[] Parameters = ["witnesses", "payloadBytes", "publishers", "receivers", "streams"];

    /// <summary>Reads its lines. Events and fields of others are skipped.</summary>
    /// <exception cref="FormatException">A line is no JSON object with an event; says which.</exception>
    public static Published Parse(IEnumerable<string> lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        Machine? machine = null;
        List<BenchCase> cases = [];
        int number = 0;
        foreach (string line in lines)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            try
            {
                using JsonDocument document = JsonDocument.Parse(line);
                JsonElement one = document.RootElement;
                switch (one.GetProperty("event").GetString())
                {
                    case "machine":
                        machine = new Machine(
                            Text(one, "processor"), one.GetProperty("cores").GetInt32(), one.GetProperty("memoryMebibytes").GetInt64(), Text(one, "runtime"), Text(one, "commit"), Text(one, "date"));
                        break;
                    case "bench":
                        cases.Add(new BenchCase(Text(one, "workload"), Text(one, "case"), [.. one.EnumerateObject()
                            .Where(field => field.Value.ValueKind == JsonValueKind.Number)
                            .Select(field => new Figure(field.Name, field.Name, field.Value.GetDouble()))]));
                        break;
                }
            }
            catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
            {
                throw new FormatException($"line {number} is not what `bft bench --json` prints: {error.Message}", error);
            }
        }

        return new Published(machine, cases);
    }

    /// <summary>What was published of the same case: workload, name and parameters. Null when nothing was. The last one counts.</summary>
    public BenchCase? Like(BenchCase measured)
    {
        ArgumentNullException.ThrowIfNull(measured);
        return Cases.LastOrDefault(one => one.Workload == measured.Workload && one.Name == measured.Name && Parameters.All(name => ValueOf(one, name) == ValueOf(measured, name)));
    }

    /// <summary>Null when a case has no such figure.</summary>
    internal static double? ValueOf(BenchCase one, string name) => one.Figures.FirstOrDefault(figure => figure.Name == name) is { Name: not null } figure ? figure.Value : null;

    private static string Text(JsonElement one, string name) => one.GetProperty(name).GetString() ?? "";
}
