using System.Text;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Fuzz.Samples;
using Bft.Protocol;
using Bft.Protocol.Membership;

namespace Bft.Fuzz.Targets;

/// <summary>cluster.yaml: used, or refused with its line. What is used says the same when it is written and read again.</summary>
internal sealed class ClusterFileTarget() : Target<(ClusterFile? File, ClusterFileException? Refusal)>("cluster-yaml")
{
    private static readonly byte[][] Tokens =
    [
        .. new[]
        {
            "&a ", "*a", "<<: ", "!!binary ", "!tag ", "---\n", "...\n", "? ", ": ", "- ", "[", "]", "{", "}", "|\n", ">\n", "\"", "'", "#", "%YAML 1.2\n", "\n", "  ", "\t", "\r\n", "\\u0000", "\\x41", "~", "null",
            "cluster: ", "nonce: ", "limits: ", "witnesses:", "clients:", "topics:", "address: ", "unix: ", "unix: /run/w.sock\n", "key: ", "pin: ", "name: ", "publish: ", "read: ", "retainBytes: ", "retainAge: ", "retainHistoryAge: ",
            "batchBytesMax: ", "windowSlots: ", "windowBytes: ", "99999999999999999999", "2147483647", "2147483647d", "9223372036854775807", "-1", "0", "1e9", "0x10", "https://", "https://[::1]:1", "*", "\"*\"", "\ufeff", "é",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    /// <summary>The parser makes an object of each token and of each value; measured: 140 times the bytes of a file of nothing but brackets. It is an operator's own file, of at most 1 MiB.</summary>
    public override long AllocatedMax(int length) => (512L * length) + (256 * 1024);

    public override IReadOnlyList<byte[]> Words => Tokens;

    public override IEnumerable<Seed> Seeds()
    {
        string text = Sample();
        yield return Of("sample", text);
        foreach ((string name, string old, string replaced) in new[]
        {
            ("anchor", "- name: \"alice\"", "- name: &a \"alice\""),
            ("alias", "- name: \"alice\"", "- name: *a"),
            ("merge", "cluster: ", "<<: {x: y}\ncluster: "),
            ("tag", "cluster: ", "cluster: !!binary "),
            ("tag-of-mapping", "limits:", "limits: !limits"),
            ("twice", "cluster: ", "cluster: again\ncluster: "),
            ("complex-key", "cluster: ", "? [a, b]\n: c\ncluster: "),
            ("age-too-long", "retainAge: 36h", "retainAge: 2147483647d"),
            ("age-empty", "retainAge: 36h", "retainAge: d"),
            ("bytes-too-many", "retainBytes: 1000000", "retainBytes: 99999999999999999999"),
            ("slots-negative", "windowSlots: 256", "windowSlots: -1"),
            ("not-text", "cluster: ", "cluster: [x] #"),
            ("port-too-high", ":7000", ":70000"),
            ("user-in-address", "https://127.0.0.1:7000", "https://user:secret@127.0.0.1:7000"),
            ("unix", ":7000", ":7000\n    unix: /run/bft/w0.sock"),
            ("unix-relative", ":7000", ":7000\n    unix: run/../w0.sock"),
            ("unix-too-long", ":7000", ":7000\n    unix: /" + new string('a', 107)),
            ("unix-not-text", ":7000", ":7000\n    unix: \"/\\0\\ud800\""),
            ("control-character", "alice", "al\\u0000ice"),
            ("lone-surrogate", "alice", "al\\ud800ice"),
        })
        {
            OracleException.Require(text.Contains(old, StringComparison.Ordinal), $"The sample has no '{old}'.");
            yield return Of(name, text.Replace(old, replaced, StringComparison.Ordinal));
        }

        yield return Of("two-documents", text + "---\n" + text);
        yield return Of("deep-sequence", new string('[', 3000));
        yield return Of("deep-mapping", string.Concat(Enumerable.Repeat("{a: ", 800)));
        yield return Of("deep-block", string.Concat(Enumerable.Range(0, 60).Select(depth => new string(' ', depth) + "a:\n")));
        yield return Of("question-marks", string.Concat(Enumerable.Repeat("? ", 1500)));
        yield return Of("dashes", string.Concat(Enumerable.Repeat("- ", 1500)));
        yield return Of("colons", string.Concat(Enumerable.Repeat("a: ", 1000)));
        yield return Of("commas", "[" + string.Concat(Enumerable.Repeat("a,", 1500)) + "]");
        yield return Of("long-scalar", "cluster: " + new string('a', 3_000));
        yield return Of("empty", "");
        yield return Of("nothing-but-lines", new string('\n', 3000));
        yield return new Seed("not-utf8", [0xff, 0xfe, 0x00, 0xd8]);
        yield return new Seed("half", Encoding.UTF8.GetBytes(text[..(text.Length / 2)]));
    }

    protected override (ClusterFile? File, ClusterFileException? Refusal) Decode(byte[] input)
    {
        try
        {
            return (ClusterFile.Parse(Encoding.UTF8.GetString(input), "c"), null);
        }
        catch (ClusterFileException refusal)
        {
            return (null, refusal);
        }
    }

    protected override Outcome Judge(byte[] input, (ClusterFile? File, ClusterFileException? Refusal) decoded)
    {
        if (decoded.File is not { } file)
        {
            string text = string.Concat(decoded.Refusal!.Message.Where(char.IsAsciiLetter));
            return Outcome.Rejected(text[..Math.Min(24, text.Length)]);
        }

        string written = file.ToYaml();
        ClusterFile again = ClusterFile.Parse(written, "again");
        OracleException.Require(again.Genesis.Cluster == file.Genesis.Cluster, "Written and read again it is another cluster.");
        OracleException.Require(again.ToYaml() == written, "Written twice it says something else.");
        OracleException.Require(file.Witnesses.Count >= CommitteeSize.Min && file.Limits.WhyIllegal() is null, "An illegal cluster was taken.");
        return Outcome.Accepted.Sized(file.Clients.Count).Sized(file.Topics.Count).Sized(file.Topics.Sum(topic => topic.Publishers.Count));
    }

    private static Seed Of(string name, string text) => new(name, Encoding.UTF8.GetBytes(text));

    private static string Sample()
    {
        WitnessEntry[] witnesses =
        [
            .. Enumerable.Range(0, 4).Select(index => new WitnessEntry(
                new WitnessIndex(index), new Uri($"https://127.0.0.1:{7000 + index}"), World.Cluster.SignerOf(new WitnessIndex(index)).PublicKey, Sha256.Hash([(byte)index]))),
        ];
        ClientEntry[] clients = [new("alice", World.Offenders[0]), new("bob", World.Stream.Signer.PublicKey)];
        return NewCluster.Create("demo", new byte[Genesis.NonceLength], witnesses, clients, ClusterLimits.Default).ToYaml()
            .Replace("\"*\":", "\"*\":\n    retainBytes: 1000000\n    retainAge: 36h\n    retainHistoryAge: 30d", StringComparison.Ordinal);
    }
}
