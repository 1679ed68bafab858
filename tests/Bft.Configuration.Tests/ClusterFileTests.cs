using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Configuration.Tests;

public sealed class ClusterFileTests
{
    private static readonly PublicKey[] Keys = [.. Enumerable.Range(1, 7).Select(KeyOf)];

    [Fact]
    public void A_written_file_says_the_same_when_it_is_read()
    {
        ClusterFile made = Made();

        ClusterFile read = ClusterFile.Parse(made.ToYaml(), "cluster.yaml");

        Assert.Equal(made.Genesis.Cluster, read.Genesis.Cluster);
        Assert.Equal(made.Witnesses, read.Witnesses);
        Assert.Equal(made.Clients, read.Clients);
        Assert.Equal(made.ToYaml(), read.ToYaml());
    }

    [Fact]
    public void S2_what_a_witness_keeps_of_a_topic_is_read_and_written()
    {
        string text = Replaced(Made().ToYaml(), "\"*\":", "\"*\":\n    retainBytes: 1000000\n    retainAge: 36h\n    retainHistoryAge: 30d");

        ClusterFile read = ClusterFile.Parse(text, "cluster.yaml");

        TopicPolicy policy = read.PolicyFor(new Topic("any"))!;
        Assert.Equal((1_000_000L, TimeSpan.FromHours(36), TimeSpan.FromDays(30)), (policy.RetainBytes, policy.RetainAge, policy.RetainHistoryAge));
        Assert.Equal(Made().Genesis.Cluster, read.Genesis.Cluster);
        TopicPolicy again = ClusterFile.Parse(read.ToYaml(), "cluster.yaml").PolicyFor(new Topic("any"))!;
        Assert.Equal((policy.RetainBytes, policy.RetainAge, policy.RetainHistoryAge), (again.RetainBytes, again.RetainAge, again.RetainHistoryAge));
    }

    [Fact]
    public void Weights_and_rates_are_read_and_written()
    {
        string client = $"key: \"{Keys[4]}\"";
        string text = Replaced(Made().ToYaml(), client, client + "\n    weight: 4\n    messagesPerSecond: 1000\n    bytesPerSecond: 5000000")
            + "sharing:\n  by: messages\n  messagesPerSecond: 100000\n";

        ClusterFile read = ClusterFile.Parse(text, "cluster.yaml");

        ClientEntry weighty = new("alice", Keys[4]) { Weight = 4, MessagesPerSecond = 1000, BytesPerSecond = 5_000_000 };
        Assert.Equal([weighty, new ClientEntry("bob", Keys[5])], read.Clients);
        Assert.Equal(new SharingPolicy { By = ShareBy.Messages, MessagesPerSecond = 100_000 }, read.Sharing);
        Assert.Equal(Made().Genesis.Cluster, read.Genesis.Cluster);
        ClusterFile again = ClusterFile.Parse(read.ToYaml(), "cluster.yaml");
        Assert.Equal((read.Sharing, weighty), (again.Sharing, again.Clients[0]));
    }

    [Fact]
    public void What_the_edge_admits_is_read_and_written_and_no_part_of_the_cluster_id()
    {
        string text = Made().ToYaml() + "edge:\n  connectionsMax: 4096\n  connectionsPerAddressMax: 4000\n  strangersMax: 500\n  perKeyMax: 64\n  unreadBytesMax: 400000000\n";

        ClusterFile read = ClusterFile.Parse(text, "cluster.yaml");

        EdgePolicy edge = new() { ConnectionsMax = 4096, ConnectionsPerAddressMax = 4000, StrangersMax = 500, PerKeyMax = 64, UnreadBytesMax = 400_000_000 };
        Assert.Equal(edge, read.Edge);
        Assert.Equal(Made().Genesis.Cluster, read.Genesis.Cluster);
        Assert.Equal(edge, ClusterFile.Parse(read.ToYaml(), "cluster.yaml").Edge);
        Assert.Equal(new EdgePolicy(), Made().Edge);
    }

    [Fact]
    public void A_Unix_socket_is_read_and_written_and_no_part_of_the_cluster_id()
    {
        string longest = "/" + new string('é', 53);
        string text = Replaced(Replaced(Made().ToYaml(), "https://127.0.0.1:7000", "https://127.0.0.1:7000\n    unix: /run/bft/w0.sock"), "https://127.0.0.1:7002", $"https://127.0.0.1:7002\n    unix: \"{longest}\"");

        ClusterFile read = ClusterFile.Parse(text, "cluster.yaml");

        Assert.Equal(["/run/bft/w0.sock", null, longest, null], read.Witnesses.Take(4).Select(witness => witness.Socket));
        Assert.Equal(WitnessEntry.SocketBytesMax, System.Text.Encoding.UTF8.GetByteCount(longest));
        Assert.Equal(Made().Genesis.Cluster, read.Genesis.Cluster);
        Assert.Equal(read.Witnesses, ClusterFile.Parse(read.ToYaml(), "cluster.yaml").Witnesses);
    }

    [Theory]
    [InlineData("cluster: \"demo\"", "cluster: \"other\"")]
    [InlineData("windowSlots: 256", "windowSlots: 255")]
    public void Another_name_or_limit_makes_another_cluster(string old, string changed)
    {
        ClusterFile made = Made();

        Assert.NotEqual(made.Genesis.Cluster, ClusterFile.Parse(Replaced(made.ToYaml(), old, changed), "x").Genesis.Cluster);
    }

    [Fact]
    public void A_file_without_clients_and_topics_says_the_same_when_it_is_read_again()
    {
        string text = Made().ToYaml();
        ClusterFile read = ClusterFile.Parse(text[..text.IndexOf("clients:", StringComparison.Ordinal)], "x");

        ClusterFile again = ClusterFile.Parse(read.ToYaml(), "again");

        Assert.Empty(again.Clients);
        Assert.Empty(again.Topics);
        Assert.Equal(read.ToYaml(), again.ToYaml());
    }

    [Fact]
    public void A_pipe_is_read_no_further_than_a_file_may_be_long()
    {
        // It has no length to ask for, and no end.
        ClusterFileException error = Assert.Throws<ClusterFileException>(() => ClusterFile.Load("/dev/zero"));

        Assert.Contains("larger than 1048576 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_looks_like_a_line_break_is_the_same_when_it_is_read_again()
    {
        string text = Made().ToYaml().Replace("\"demo\"", "\"de\\u2028mo\\ufeff\"", StringComparison.Ordinal);

        ClusterFile read = ClusterFile.Parse(text, "x");

        Assert.Equal("de\u2028mo\ufeff", read.Genesis.Name);
        Assert.Equal(read.Genesis.Cluster, ClusterFile.Parse(read.ToYaml(), "again").Genesis.Cluster);
    }

    [Fact]
    public void Addresses_and_topics_are_no_part_of_the_cluster_id()
    {
        ClusterFile made = Made();

        ClusterFile moved = ClusterFile.Parse(Replaced(made.ToYaml(), "127.0.0.1:7000", "10.0.0.1:7000"), "x");

        Assert.Equal(made.Genesis.Cluster, moved.Genesis.Cluster);
    }

    [Theory]
    [InlineData("cluster: \"demo\"", "cluster: \"demo\"\ncolour: red", "no key 'colour'")]
    [InlineData("name: \"bob\"", "name: \"bob\"\n    weight: 0", "from 1 to 1000")]
    [InlineData("name: \"bob\"", "name: \"bob\"\n    messagesPerSecond: fast", "no messagesPerSecond")]
    [InlineData("topics:", "sharing:\n  by: hours\ntopics:", "neither bytes nor messages")]
    [InlineData("topics:", "edge:\n  connections: 1000\ntopics:", "no key 'connections'")]
    [InlineData("topics:", "edge:\n  connectionsMax: 15\ntopics:", "from 16 to 65536")]
    [InlineData("topics:", "edge:\n  connectionsMax: 100000\ntopics:", "from 16 to 65536")]
    [InlineData("topics:", "edge:\n  connectionsMax: 100\n  connectionsPerAddressMax: 101\ntopics:", "from 1 to 100")]
    [InlineData("topics:", "edge:\n  strangersMax: 513\ntopics:", "from 1 to 512")]
    [InlineData("topics:", "edge:\n  perKeyMax: 1\ntopics:", "from 2 to 1024")]
    [InlineData("topics:", "edge:\n  unreadBytesMax: 1000\ntopics:", "from 33554432 on")]
    [InlineData("cluster: \"demo\"", "cluster: \"demo\"\ncluster: \"demo\"", "no YAML")]
    [InlineData("cluster: \"demo\"", "cluster: ", "plain value is missing")]
    [InlineData("windowSlots: 256", "windowSlots: many", "no number")]
    [InlineData("windowSlots: 256", "windowSlots: 0", "windowSlots is from")]
    [InlineData("https://127.0.0.1:7000", "http://127.0.0.1:7000", "write https://")]
    [InlineData("https://127.0.0.1:7001", "https://127.0.0.1:7000", "stands twice")]
    [InlineData("https://127.0.0.1:7001", "unix:/run/bft/w1.sock", "a Unix socket beside it under unix:")]
    [InlineData("https://127.0.0.1:7001", "https://127.0.0.1:7001\n    unix: w1.sock", "no path from the root on")]
    [InlineData("https://127.0.0.1:7001", "https://127.0.0.1:7001\n    unix: /run/../w1.sock", "no path from the root on")]
    [InlineData("https://127.0.0.1:7001", "https://127.0.0.1:7001\n    unix: /run//w1.sock", "no path from the root on")]
    [InlineData("https://127.0.0.1:7001", "https://127.0.0.1:7001\n    unix: /run/bft/", "no path from the root on")]
    [InlineData("https://127.0.0.1:7001", "https://127.0.0.1:7001\n    unix: \"/run/\\u0000w1.sock\"", "no control characters")]
    [InlineData("https://127.0.0.1:7001", "https://127.0.0.1:7001\n    unix: /123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/1234567", "at most 107 bytes, and this one 108")]
    [InlineData("publish: [\"alice\"", "publish: [\"mallory\"", "no client is named 'mallory'")]
    [InlineData("\"*\":", "\"a*b\":", "is no topic")]
    [InlineData("\"*\":", "\"*\":\n    retainBytes: much", "no number of bytes")]
    [InlineData("\"*\":", "\"*\":\n    retainAge: 30", "no duration")]
    [InlineData("\"*\":", "\"*\":\n    retainAge: 5w", "no duration")]
    [InlineData("\"*\":", "\"*\":\n    retainAge: 2d\n    retainHistoryAge: 1d", "at least retainAge")]
    [InlineData("- name: \"alice\"", "- name: &a \"alice\"", "anchors and aliases")]
    [InlineData("pin: \"", "pin: \"zz", "hexadecimal digits")]
    [InlineData("- name: \"alice\"", "- name: *a", "anchors and aliases")]
    [InlineData("cluster: \"demo\"", "cluster: !!str demo", "tags are refused")]
    [InlineData("limits:", "limits: !limits", "tags are refused")]
    [InlineData("\"*\":", "<<: {publish: []}\n  \"*\":", "merge keys are refused")]
    [InlineData("topics:", "---\ntopics:", "a second document begins here")]
    [InlineData("\"*\":", "\"*\":\n    retainAge: 2147483647d", "at most 36500d")]
    [InlineData("- name: \"alice\"", "- name: \"al\\u0000ice\"", "no control characters")]
    [InlineData("windowSlots: 256", "windowSlots: [[[[[[[[[[[[256]]]]]]]]]]]]", "nested too deeply")]
    public void What_is_wrong_is_named_with_its_line(string old, string changed, string problem)
    {
        ClusterFileException error = Assert.Throws<ClusterFileException>(
            () => ClusterFile.Parse(Replaced(Made().ToYaml(), old, changed), "c.yaml"));

        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("c.yaml:", error.Message, StringComparison.Ordinal);
        Assert.True(error.Line > 0);
    }

    [Fact]
    public void A_witness_key_that_anybody_can_sign_for_is_refused()
    {
        // The neutral element: a small-order key.
        string smallOrder = "01" + new string('0', 62);

        ClusterFileException error = Assert.Throws<ClusterFileException>(
            () => ClusterFile.Parse(Replaced(Made().ToYaml(), Keys[0].ToString(), smallOrder), "x"));

        Assert.Contains("no acceptable Ed25519 key", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_stands_twice_is_refused()
    {
        ClusterFileException error = Assert.Throws<ClusterFileException>(
            () => ClusterFile.Parse(Replaced(Made().ToYaml(), Keys[1].ToString(), Keys[0].ToString()), "x"));

        Assert.Contains("stands twice", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_Unix_socket_that_stands_twice_is_refused()
    {
        string text = Made().ToYaml();
        foreach (int port in new[] { 7000, 7001 })
        {
            text = Replaced(text, $"https://127.0.0.1:{port}", $"https://127.0.0.1:{port}\n    unix: /run/bft/w0.sock");
        }

        ClusterFileException error = Assert.Throws<ClusterFileException>(() => ClusterFile.Parse(text, "x"));

        Assert.Contains("the Unix socket '/run/bft/w0.sock' stands twice", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Three_witnesses_are_too_few()
    {
        Assert.Throws<ArgumentException>(() => NewCluster.Create("demo", new byte[32], [.. Made().Witnesses.Take(3)], [], ClusterLimits.Default));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("just words")]
    [InlineData("a: [b")]
    [InlineData("\0\u0001")]
    [InlineData("a: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}")]
    public void What_is_no_cluster_file_is_an_error_and_nothing_else(string text)
    {
        Assert.Throws<ClusterFileException>(() => ClusterFile.Parse(text, "x"));
    }

    [Fact]
    public void The_best_fit_decides()
    {
        string yaml = Replaced(Made().ToYaml(), "topics:\n", "topics:\n  \"rates.*\":\n    publish: [bob]\n    read: [\"*\"]\n  rates.eur:\n    publish: [alice]\n");
        ClusterFile file = ClusterFile.Parse(yaml, "x");

        Assert.True(file.MayPublish(new Topic("rates.usd"), Keys[5]));
        Assert.False(file.MayPublish(new Topic("rates.usd"), Keys[4]));
        Assert.True(file.MayRead(new Topic("rates.usd"), Keys[4]));
        Assert.True(file.MayPublish(new Topic("rates.eur"), Keys[4]));
        Assert.False(file.MayRead(new Topic("rates.eur"), Keys[4]));
        Assert.False(file.MayPublish(new Topic("rates.usd"), Keys[6]));
    }

    [Theory]
    [InlineData("rates*", "rates")]
    [InlineData("rates", "rates*")]
    public void A_whole_name_fits_better_than_the_same_beginning(string first, string second)
    {
        string yaml = Replaced(Made().ToYaml(), "topics:\n", $"topics:\n  {first}:\n    publish: [{(first == "rates" ? "bob" : "alice")}]\n  {second}:\n    publish: [{(second == "rates" ? "bob" : "alice")}]\n");

        Assert.Equal("rates", ClusterFile.Parse(yaml, "x").PolicyFor(new Topic("rates"))?.Pattern);
    }

    [Fact]
    public void Both_pins_count_while_a_TLS_key_is_replaced()
    {
        WitnessEntry witness = Made().Witnesses[0] with { NextPin = Sha256.Hash("next"u8) };

        Assert.True(witness.Accepts(witness.Pin));
        Assert.True(witness.Accepts(Sha256.Hash("next"u8)));
        Assert.False(witness.Accepts(Sha256.Hash("other"u8)));
        Assert.False((witness with { NextPin = null }).Accepts(Sha256.Hash("next"u8)));
    }

    [Fact]
    public void A_topic_without_a_policy_belongs_to_nobody()
    {
        ClusterFile file = ClusterFile.Parse(Replaced(Made().ToYaml(), "\"*\":", "\"news\":"), "x");

        Assert.True(file.HasPolicyFor(new Topic("news")));
        Assert.False(file.HasPolicyFor(new Topic("news2")));
        Assert.False(file.MayPublish(new Topic("news2"), Keys[4]));
    }

    [Fact]
    public void A_missing_file_says_how_to_make_one()
    {
        ClusterFileException error = Assert.Throws<ClusterFileException>(() => ClusterFile.Load("/nonexistent/cluster.yaml"));

        Assert.Contains("bft init", error.Message, StringComparison.Ordinal);
    }

    private static ClusterFile Made() => NewCluster.Create(
        "demo",
        new byte[Genesis.NonceLength],
        [.. Enumerable.Range(0, 4).Select(index => new WitnessEntry(new WitnessIndex(index), new Uri($"https://127.0.0.1:{7000 + index}"), Keys[index], Sha256.Hash([(byte)index])))],
        [new ClientEntry("alice", Keys[4]), new ClientEntry("bob", Keys[5])],
        ClusterLimits.Default);

    private static string Replaced(string text, string old, string changed)
    {
        Assert.Contains(old, text, StringComparison.Ordinal);
        int at = text.IndexOf(old, StringComparison.Ordinal);
        return string.Concat(text.AsSpan(0, at), changed, text.AsSpan(at + old.Length));
    }

    private static PublicKey KeyOf(int number)
    {
        byte[] seed = new byte[Ed25519Signer.SeedLength];
        seed[0] = (byte)number;
        using Ed25519Signer signer = new(seed);
        return signer.PublicKey;
    }
}
