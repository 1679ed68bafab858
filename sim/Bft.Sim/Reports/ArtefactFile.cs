using System.Globalization;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bft.Sim;

/// <summary>Artefacts as JSON files.</summary>
internal static class ArtefactFile
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        IgnoreReadOnlyProperties = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase), new ChoiceConverter() },
    };

    /// <summary>This program's version, with the commit where the build knew it.</summary>
    public static string Version { get; } =
        typeof(ArtefactFile).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    public static string ToJson(Artefact artefact) => JsonSerializer.Serialize(artefact, Options) + "\n";

    /// <exception cref="CommandException">It is none, or of a format that this program does not know.</exception>
    public static Artefact Parse(string json, string name)
    {
        try
        {
            Artefact artefact = JsonSerializer.Deserialize<Artefact>(json, Options) ?? throw new JsonException("it is empty");
            string? wrong = artefact.Format != Artefact.CurrentFormat ? $"its format is {artefact.Format}, and this program knows {Artefact.CurrentFormat}"
                : PlanKeys.WhyIllegal(artefact.Plan) ?? PlanKeys.WhyIllegal(artefact.Smallest.Plan);
            return wrong is null ? artefact : throw new JsonException(wrong);
        }
        catch (JsonException error)
        {
            throw new CommandException(ExitCode.Usage, $"{name} is no failure that `bft sim` wrote: {error.Message}");
        }
    }

    /// <exception cref="CommandException">There is no such file, or it is none.</exception>
    public static Artefact Load(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Usage, $"{path} cannot be read: {error.Message}");
        }
    }

    /// <summary>Writes an artefact under a name that tells what it is.</summary>
    /// <returns>The file.</returns>
    public static string Save(string directory, Artefact artefact)
    {
        Directory.CreateDirectory(directory);
        string source = artefact.Scenario ?? (artefact.Profile.StartsWith(Reproduction.PlanPrefix, StringComparison.Ordinal) ? "plan" : artefact.Profile);
        string path = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{artefact.Violation.Checker}-{source}-{artefact.Seed}.json"));
        File.WriteAllText(path, ToJson(artefact));
        return path;
    }

    private sealed class ChoiceConverter : JsonConverter<ChoiceId>
    {
        public override ChoiceId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            try
            {
                return ChoiceId.Parse(reader.GetString() ?? "");
            }
            catch (Exception error) when (error is FormatException or InvalidOperationException)
            {
                throw new JsonException(error.Message, error);
            }
        }

        public override void Write(Utf8JsonWriter writer, ChoiceId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }
}
