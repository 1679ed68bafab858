using System.Globalization;
using System.Text;
using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Bft.Sim;

/// <summary>A user's own plan as YAML, read strictly: a typing slip must not switch a fault off.</summary>
internal static class PlanFile
{
    private const int LengthMax = 64 * 1024;
    private static readonly AdversaryKind[] Kinds = Enum.GetValues<AdversaryKind>();

    private static string KnownKeys => string.Join(", ", PlanKeys.All.Select(key => key.Name).Prepend(PlanKeys.Byzantine).Order(StringComparer.Ordinal));

    /// <exception cref="CommandException">The file is missing or says something illegal.</exception>
    public static RunPlan Load(string path)
    {
        try
        {
            return new FileInfo(path).Length <= LengthMax
                ? Parse(File.ReadAllText(path), path)
                : throw new CommandException(ExitCode.Usage, $"{path} is larger than {LengthMax} bytes.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Usage, $"{path} cannot be read: {error.Message} (`bft sim --print-plan` prints one to start from)");
        }
    }

    /// <summary>What a file does not name keeps the default.</summary>
    /// <exception cref="CommandException">It says something illegal; with the line.</exception>
    public static RunPlan Parse(string text, string name)
    {
        RunPlan plan = new();
        foreach ((YamlScalarNode keyNode, YamlNode value) in Pairs(text, name))
        {
            string key = keyNode.Value ?? "";
            plan = key == PlanKeys.Byzantine ? plan with { Byzantine = Adversaries(value, name) }
                : PlanKeys.All.FirstOrDefault(known => known.Name == key) is { } known ? known.With(plan, Number(known, value, name))
                : throw Fault(keyNode, name, $"there is no key '{key}'; known are {KnownKeys}");
        }

        return PlanKeys.WhyIllegal(plan) is { } wrong ? throw new CommandException(ExitCode.Usage, $"{name}: {wrong}.") : plan;
    }

    /// <summary>A file that says the same, with what each key means.</summary>
    public static string ToYaml(RunPlan plan, string heading)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"# {heading}\n# Keys that are left out keep their default. ppm: so many of a million.\n\n");
        foreach (PlanKey key in PlanKeys.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"{key.Name + ": " + key.Text(plan),-36} # {key.Comment}; {key.Range}\n");
            if (key.Property == nameof(RunPlan.Witnesses))
            {
                string kinds = string.Join(", ", plan.Byzantine.Select(NameOf));
                text.Append(CultureInfo.InvariantCulture, $"{$"{PlanKeys.Byzantine}: [{kinds}]",-36} # one word per Byzantine witness: {string.Join(", ", Kinds.Select(NameOf))}; more than f is beyond the model\n");
            }
        }

        return text.ToString();
    }

    private static string NameOf(AdversaryKind kind) => JsonNamingPolicy.CamelCase.ConvertName(kind.ToString());

    private static IEnumerable<(YamlScalarNode Key, YamlNode Value)> Pairs(string text, string name)
    {
        YamlStream stream = [];
        try
        {
            // An alias could make a small file a large one.
            Parser parser = new(new StringReader(text));
            while (parser.MoveNext())
            {
                if (parser.Current is AnchorAlias alias)
                {
                    throw new YamlException(alias.Start, alias.End, "aliases are refused; write the value out");
                }
            }

            stream.Load(new StringReader(text));
        }
        catch (YamlException error)
        {
            throw new CommandException(ExitCode.Usage, string.Create(CultureInfo.InvariantCulture, $"{name}:{error.Start.Line}: this is no YAML: {error.Message}"));
        }

        return stream.Documents.Count == 0 ? []
            : stream.Documents is [{ RootNode: YamlMappingNode root }]
            ? root.Children.Select(pair => (pair.Key as YamlScalarNode ?? throw Fault(pair.Key, name, "a key is one word"), pair.Value))
            : throw new CommandException(ExitCode.Usage, $"{name}: a plan is one list of KEY: VALUE lines.");
    }

    private static int Number(PlanKey key, YamlNode node, string name)
    {
        string text = (node as YamlScalarNode)?.Value ?? "";
        int? number = key.IsSwitch ? (text switch { "true" => 1, "false" => 0, _ => null })
            : int.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture, out int parsed) ? parsed
            : null;
        return number >= key.Min && number <= key.Max ? number.Value : throw Fault(node, name, $"{key.Name} is {key.Range}, not '{text}'");
    }

    private static AdversaryKind[] Adversaries(YamlNode node, string name) =>
        node is YamlSequenceNode list
            ? [.. list.Children.Select(item => Adversary(item, name))]
            : throw Fault(node, name, $"{PlanKeys.Byzantine} is a list: [{string.Join(", ", Kinds.Select(NameOf))}]");

    private static AdversaryKind Adversary(YamlNode node, string name)
    {
        string text = (node as YamlScalarNode)?.Value ?? "";
        int index = Array.FindIndex(Kinds, kind => NameOf(kind) == text);
        return index >= 0 ? Kinds[index] : throw Fault(node, name, $"'{text}' is no adversary; known are {string.Join(", ", Kinds.Select(NameOf))}");
    }

    private static CommandException Fault(YamlNode node, string name, string problem) =>
        new(ExitCode.Usage, string.Create(CultureInfo.InvariantCulture, $"{name}:{node.Start.Line}: {problem}."));
}
