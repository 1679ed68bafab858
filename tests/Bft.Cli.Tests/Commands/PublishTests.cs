using System.Text;
using System.Text.Json;
using Bft.Cli.Tests.Support;

namespace Bft.Cli.Tests.Commands;

[Collection(RunningClusterCollection.Name)]
public sealed class PublishTests(RunningCluster running)
{
    private readonly TestCluster _cluster = running.Cluster;

    [Theory]
    [InlineData("plain", "one\ntwo\nthree\n")]
    [InlineData("no-last-feed", "one\ntwo")]
    [InlineData("carriage-returns", "one\r\ntwo\r\n")]
    [InlineData("empty-lines", "\n\n\none\n\n")]
    [InlineData("binary", "\0\u0001\u00ff\u00fe\n\u0080\n\0")]
    public async Task Raw_output_is_byte_for_byte_the_input(string topic, string text)
    {
        byte[] input = Encoding.Latin1.GetBytes(text);
        string file = _cluster.Write(topic, input);
        int lines = input.Count(letter => letter == '\n') + (input[^1] == '\n' ? 0 : 1);

        BftResult published = await _cluster.RunAsync("publish", topic, "--lines", file);
        BftResult received = await _cluster.RunAsync("subscribe", topic, "--from", "earliest", "--count", $"{lines}", "--raw", "--timeout", "20s");

        Assert.True(published.ExitCode == 0, published.ToString());
        Assert.True(received.ExitCode == 0, received.ToString());
        Assert.Equal(input, received.OutputBytes);
    }

    [Fact]
    public async Task Many_lines_from_standard_input_arrive_in_order()
    {
        byte[] input = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 50_000).Select(number => $"{number:D8} {new string('x', number % 150)}\n")));

        BftResult published = await _cluster.RunAsync(input, "publish", "many", "--lines", "-");
        string output = _cluster["many.out"];
        BftResult received = await _cluster.RunAsync("subscribe", "many", "--count", "50000", "--raw", "--output", output);

        Assert.True(published.ExitCode == 0, published.ToString());
        Assert.Contains("50,000 messages", published.Output, StringComparison.Ordinal);
        Assert.True(received.ExitCode == 0, received.ToString());
        Assert.Equal(input, await File.ReadAllBytesAsync(output));
        Assert.Empty(received.Output);
    }

    [Fact]
    public async Task Text_file_and_standard_input_are_one_message_each()
    {
        await _cluster.RunAsync("publish", "ones", "--message", "text");
        await _cluster.RunAsync("publish", "ones", "--file", _cluster.Write("one", "a\nfile\n"u8));
        await _cluster.RunAsync("in\nput"u8.ToArray(), "publish", "ones");

        BftResult received = await _cluster.RunAsync("subscribe", "ones", "--count", "3", "--json", "--timeout", "20s");

        Assert.Equal(["text", "a\nfile\n", "in\nput"], received.Events.Where(one => EventOf(one) == "message").Select(one => one.GetProperty("payload").GetString()!));
        Assert.Equal("end", EventOf(received.Events[^1]));
    }

    [Fact]
    public async Task Empty_or_closed_standard_input_ends_at_once()
    {
        BftResult empty = await _cluster.RunAsync("publish", "empty");
        BftResult noLines = await _cluster.RunAsync("publish", "empty", "--lines", "-");
        BftResult closed = await BftProcess.ShellAsync($"$BFT publish empty --cluster {_cluster.Yaml} <&-");
        BftResult closedLines = await BftProcess.ShellAsync($"$BFT publish empty --cluster {_cluster.Yaml} --lines - <&-");

        Assert.Equal((int)ExitCode.Usage, empty.ExitCode);
        Assert.Contains("standard input is empty", empty.Error, StringComparison.Ordinal);
        Assert.Equal((int)ExitCode.Usage, closed.ExitCode);
        Assert.Equal(0, noLines.ExitCode);
        Assert.Equal(0, closedLines.ExitCode);
    }

    [Fact]
    public async Task A_line_above_the_limit_is_refused_with_its_number_and_what_was_certified()
    {
        byte[] tooLong = new byte[2_200_000];
        tooLong.AsSpan().Fill((byte)'x');
        string file = _cluster.Write("long", [.. "one\ntwo\n"u8, .. tooLong, .. "\nfour\n"u8]);

        BftResult result = await _cluster.RunAsync("publish", "long", "--lines", file);
        BftResult received = await _cluster.RunAsync("subscribe", "long", "--raw", "--timeout", "2s");

        Assert.Equal((int)ExitCode.Invalid, result.ExitCode);
        Assert.Contains("line 3 ", result.Error, StringComparison.Ordinal);
        Assert.Contains("2 messages", result.Error, StringComparison.Ordinal);
        Assert.Equal("one\ntwo\n", received.Output);
        Assert.Equal((int)ExitCode.Timeout, received.ExitCode);
    }

    [Fact]
    public async Task A_topic_that_no_policy_covers_is_refused_by_name()
    {
        string yaml = _cluster.Write("narrow.yaml", Encoding.UTF8.GetBytes((await File.ReadAllTextAsync(_cluster.Yaml)).Replace("\"*\":", "\"news\":", StringComparison.Ordinal)));

        foreach (string command in new[] { "publish orders --message x", "subscribe orders" })
        {
            BftResult result = await BftProcess.RunAsync([.. command.Split(' '), "--cluster", yaml, "--identity", _cluster.Folder.ClientKey("client")]);

            Assert.Equal((int)ExitCode.Invalid, result.ExitCode);
            Assert.Contains("'orders'", result.Error, StringComparison.Ordinal);
            Assert.Contains("\"news\"", result.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_environment_stands_in_for_cluster_and_identity()
    {
        BftResult published = await BftProcess.RunAsync(
            ReadOnlyMemory<byte>.Empty, ["publish", "environment", "--message", "x"], ("BFT_CLUSTER", _cluster.Yaml), ("BFT_IDENTITY", "client"));
        BftResult stranger = await BftProcess.RunAsync(ReadOnlyMemory<byte>.Empty, ["publish", "environment", "--message", "x"], ("BFT_CLUSTER", _cluster.Yaml), ("BFT_IDENTITY", "nobody"));

        Assert.True(published.ExitCode == 0, published.ToString());
        Assert.Equal((int)ExitCode.Usage, stranger.ExitCode);
        Assert.Contains("'nobody'", stranger.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Runs_continue_one_stream_and_a_second_at_the_same_time_has_its_own()
    {
        JsonElement first = Published(await _cluster.RunAsync("publish", "streams", "--message", "1", "--json"));
        JsonElement second = Published(await _cluster.RunAsync("publish", "streams", "--message", "2", "--json"));

        using BftProcess holding = BftProcess.Start("publish", "streams", "--lines", "-", "--json", "--cluster", _cluster.Yaml);
        await holding.Input.WriteAsync("3\n");
        await holding.Input.FlushAsync();
        await holding.SeenAsync("certified");
        JsonElement beside = Published(await _cluster.RunAsync("publish", "streams", "--message", "4", "--json"));
        holding.Input.Close();
        JsonElement third = Published(await holding.EndAsync());

        string stream = first.GetProperty("stream").GetString()!;
        Assert.Equal(0UL, first.GetProperty("lastSequence").GetUInt64());
        Assert.Equal(1UL, second.GetProperty("lastSequence").GetUInt64());
        Assert.Equal(2UL, third.GetProperty("lastSequence").GetUInt64());
        Assert.Equal(stream, second.GetProperty("stream").GetString());
        Assert.Equal(stream, third.GetProperty("stream").GetString());
        Assert.NotEqual(stream, beside.GetProperty("stream").GetString());
    }

    [Fact]
    public async Task Signals_end_it_with_their_codes_and_say_what_was_certified()
    {
        foreach ((Action<BftProcess> signal, ExitCode code) in new (Action<BftProcess>, ExitCode)[] { (bft => bft.Terminate(), ExitCode.Terminated), (bft => bft.Interrupt(), ExitCode.Interrupted) })
        {
            string topic = $"signals-{code}"; // its own: the reader must not see the first round's messages and think that this one's are certified
            using BftProcess process = BftProcess.Start("publish", topic, "--lines", "-", "--cluster", _cluster.Yaml);
            await process.Input.WriteAsync("one\ntwo\n");
            await process.Input.FlushAsync();
            using BftProcess reader = BftProcess.Start("subscribe", topic, "--from", "earliest", "--cluster", _cluster.Yaml);
            await reader.SeenAsync("two");

            signal(process);
            signal(reader);
            BftResult published = await process.EndAsync();
            BftResult received = await reader.EndAsync();

            Assert.Equal((int)code, published.ExitCode);
            Assert.Contains("2 messages", published.Error, StringComparison.Ordinal);
            Assert.Equal((int)code, received.ExitCode);
        }
    }

    private static string EventOf(JsonElement one) => one.GetProperty("event").GetString()!;

    private static JsonElement Published(BftResult result)
    {
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Events.Single(one => EventOf(one) == "published");
    }
}
