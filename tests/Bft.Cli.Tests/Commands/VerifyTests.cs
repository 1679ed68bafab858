using System.Text;
using Bft.Cli.Tests.Support;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Storage;

namespace Bft.Cli.Tests.Commands;

[Collection(RunningClusterCollection.Name)]
public sealed class VerifyTests(RunningCluster running)
{
    private static readonly byte[] Text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 3_000).Select(number => $"line {number}\n")));
    private readonly TestCluster _cluster = running.Cluster;

    [Fact]
    public async Task Receipts_of_a_run_prove_all_of_it()
    {
        (string payload, string receipt) = await PublishAsync("verify-good");

        BftResult result = await _cluster.RunAsync("verify", receipt, "--payload", payload, "--json");

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(3_000, result.Events[0].GetProperty("messages").GetInt64());
        Assert.True(result.Events[0].GetProperty("witnessesMin").GetInt32() >= 3);
        Assert.True(result.Events[0].GetProperty("payloadMatches").GetBoolean());
        Assert.InRange(new FileInfo(receipt).Length, Text.Length, Text.Length * 2);
    }

    [Fact]
    public async Task Receipts_and_evidence_may_come_through_a_pipe()
    {
        (string payload, string receipt) = await PublishAsync("verify-pipe");
        byte[] evidence = new PublisherEquivocation(Statement("pay Bob"), Statement("pay Carol")).Encode();

        BftResult receipts = await _cluster.RunAsync(await File.ReadAllBytesAsync(receipt), "verify", "-", "--payload", payload);
        BftResult cut = await _cluster.RunAsync((await File.ReadAllBytesAsync(receipt)).AsMemory()[..^1], "verify", "-");
        BftResult proof = await _cluster.RunAsync(evidence, "verify", "-");

        Assert.True(receipts.ExitCode == 0, receipts.ToString());
        Assert.Equal((int)ExitCode.Invalid, cut.ExitCode);
        Assert.True(proof.ExitCode == 0, proof.ToString());
        Assert.Contains("signed two different batches", proof.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("more", "prove the first")]
    [InlineData("less", "prove more")]
    [InlineData("other", "other bytes")]
    public async Task Another_payload_is_refused(string change, string problem)
    {
        (_, string receipt) = await PublishAsync($"verify-{change}");
        string other = _cluster.Write($"other-{change}", change switch
        {
            "more" => [.. Text, (byte)'\n'],
            "less" => Text.AsSpan(0, Text.Length - 1),
            _ => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Text).Replace("line 77\n", "line 78\n", StringComparison.Ordinal)),
        });

        BftResult result = await _cluster.RunAsync("verify", receipt, "--payload", other);

        Assert.Equal((int)ExitCode.Invalid, result.ExitCode);
        Assert.Contains(problem, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_tampering_is_refused()
    {
        (_, string receipt) = await PublishAsync("verify-tampered");
        byte[] good = await File.ReadAllBytesAsync(receipt);
        foreach (int at in Enumerable.Range(0, 12).Select(part => part * (good.Length - 1) / 11))
        {
            byte[] bad = [.. good];
            bad[at] ^= 0x10;

            BftResult result = await _cluster.RunAsync("verify", _cluster.Write("tampered", bad));

            Assert.True(result.ExitCode == (int)ExitCode.Invalid, $"byte {at}: {result}");
            Assert.Empty(result.Output);
        }
    }

    [Fact]
    public async Task What_is_cut_empty_or_something_else_is_refused()
    {
        (_, string receipt) = await PublishAsync("verify-cut");
        byte[] good = await File.ReadAllBytesAsync(receipt);
        foreach (byte[] bad in new[] { [], good[..^1], good[..10], [.. good, 1], Text, "\u0001"u8.ToArray() })
        {
            BftResult result = await _cluster.RunAsync("verify", _cluster.Write("cut", bad));

            Assert.Equal((int)ExitCode.Invalid, result.ExitCode);
        }
    }

    [Fact]
    public async Task Another_clusters_receipt_is_refused()
    {
        (_, string receipt) = await PublishAsync("verify-foreign");
        using TestCluster other = new();

        BftResult result = await other.RunAsync("verify", receipt, "--json");

        Assert.Equal((int)ExitCode.Invalid, result.ExitCode);
        Assert.Equal("error", result.Events.Single().GetProperty("event").GetString());
        Assert.Equal(10, result.Events.Single().GetProperty("code").GetInt32());
    }

    [Fact]
    public async Task A_missing_file_is_a_usage_error()
    {
        BftResult result = await _cluster.RunAsync("verify", "/nonexistent");

        Assert.Equal((int)ExitCode.Usage, result.ExitCode);
    }

    [Fact]
    public async Task Evidence_that_holds_names_the_guilty_the_slot_and_both_originals()
    {
        SignedStatement first = Statement("pay Bob");
        SignedStatement second = Statement("pay Carol");
        string file = _cluster.Write("good.evidence", new PublisherEquivocation(first, second).Encode());

        BftResult result = await _cluster.RunAsync("verify", file, "--json");
        BftResult text = await _cluster.RunAsync("verify", file);

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal("publisher", result.Events[0].GetProperty("role").GetString());
        Assert.Equal("client", result.Events[0].GetProperty("name").GetString());
        Assert.Equal(7UL, result.Events[0].GetProperty("sequence").GetUInt64());
        Assert.Equal(Sha256.Hash(first.Bytes.Span).ToString(), result.Events[0].GetProperty("first").GetString());
        Assert.Equal(Sha256.Hash(second.Bytes.Span).ToString(), result.Events[0].GetProperty("second").GetString());
        Assert.Contains("publisher client signed two different batches", text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Evidence_that_proves_nothing_accuses_nobody()
    {
        SignedStatement first = Statement("pay Bob");
        byte[] forged = new PublisherEquivocation(first, Statement("pay Carol")).Encode();
        forged[^1] ^= 1;

        BftResult same = await _cluster.RunAsync("verify", _cluster.Write("same.evidence", new PublisherEquivocation(first, first).Encode()));
        BftResult tampered = await _cluster.RunAsync("verify", _cluster.Write("forged.evidence", forged));

        Assert.Equal((int)ExitCode.Invalid, same.ExitCode);
        Assert.Contains("do not contradict", same.Error, StringComparison.Ordinal);
        Assert.Equal((int)ExitCode.Invalid, tampered.ExitCode);
        Assert.Contains("signature", tampered.Error, StringComparison.Ordinal);
    }

    private async Task<(string Payload, string Receipt)> PublishAsync(string topic)
    {
        string payload = _cluster.Write(topic, Text);
        string receipt = _cluster[topic + ".receipt"];
        BftResult result = await _cluster.RunAsync("publish", topic, "--lines", payload, "--receipt", receipt);
        Assert.True(result.ExitCode == 0, result.ToString());
        return (payload, receipt);
    }

    /// <summary>What the client's key signs for slot 7 of a stream; no witness has it.</summary>
    private SignedStatement Statement(string text)
    {
        ClusterFile cluster = ClusterFile.Load(_cluster.Yaml);
        using SecretBytes seed = KeyFile.Load(_cluster.Folder.ClientKey("client"));
        using Ed25519Signer signer = new(seed.Span);
        BodyBuilder builder = new(cluster.Limits);
        Assert.True(builder.TryAdd(new Message(Encoding.UTF8.GetBytes(text))));
        byte[] body = new byte[builder.BodyLength];
        StreamHeader header = new(cluster.Genesis.Cluster, signer.PublicKey, new Topic("payments"), new Incarnation(1, 2));
        BatchStatement statement = BatchStatement.Create(header, new Sequence(7), Ancestor.Previous(Sha256.Hash([1])), builder.Build(body));
        return new SignedStatement(statement.Bytes, signer.Sign(statement.Bytes.Span));
    }
}
