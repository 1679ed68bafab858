using Bft.Grpc.Tests.Contracts;
using Grpc.Core;

namespace Bft.Grpc.Tests.Substitute;

public sealed class MetadataTests : IAsyncLifetime
{
    private EchoHost _host = null!;

    public async Task InitializeAsync() => _host = await EchoHost.StartAsync();

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Headers_go_out_and_headers_and_trailers_come_back()
    {
        Metadata seen = [];
        _host.Handlers.Unary = async (request, context) =>
        {
            seen = context.RequestHeaders;
            await context.WriteResponseHeadersAsync([new("first", "1"), new("first", "2"), new("expires", "never"), new("blob-bin", [1, 2])]);
            context.ResponseTrailers.Add("last-bin", [0xFF]);
            return request;
        };

        using AsyncUnaryCall<Note> call = _host.Client.UnaryAsync(
            new Note(), [new("Name", "va, lue"), new("name", "again"), new("expires", "never"), new("key-bin", [0, 1, 2, 3]), new("empty-bin", [])]);
        Metadata headers = await call.ResponseHeadersAsync.WaitAsync(EchoHost.Patience);
        await call;

        // Values of one name may be joined on the way; the specification says so, and HttpClient does it.
        Assert.Equal("va, lue, again", seen.GetValue("name"));
        Assert.Equal("never", seen.GetValue("expires"));
        Assert.Equal([0, 1, 2, 3], seen.GetValueBytes("key-bin"));
        Assert.Equal([], seen.GetValueBytes("empty-bin")!);
        Assert.Equal("1|2", string.Join('|', headers.GetAll("first").Select(entry => entry.Value)));
        Assert.Equal("never", headers.GetValue("expires"));
        Assert.Equal([1, 2], headers.GetValueBytes("blob-bin"));
        Assert.Equal([0xFF], call.GetTrailers().GetValueBytes("last-bin"));
        Assert.DoesNotContain(call.GetTrailers(), entry => entry.Key.StartsWith("grpc-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_handler_sees_who_calls_what()
    {
        (string Method, string Host, string Peer) seen = default;
        _host.Handlers.Unary = (request, context) =>
        {
            seen = (context.Method, context.Host, context.Peer);
            Assert.Equal("HTTP/2", context.GetHttpContext().Request.Protocol);
            return Task.FromResult(request);
        };

        await _host.Client.UnaryAsync(new Note());

        Assert.Equal(("/bft.test.v1.Echo/Unary", _host.Address.Authority), (seen.Method, seen.Host));
        Assert.StartsWith("ipv4:127.0.0.1:", seen.Peer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Binary_values_are_read_padded_or_not_and_several_to_a_line()
    {
        List<string> seen = [];
        _host.Handlers.Unary = (request, context) =>
        {
            seen.AddRange(context.RequestHeaders.GetAll("k-bin").Select(entry => Convert.ToHexString(entry.ValueBytes)));
            return Task.FromResult(request);
        };

        await RawCall.PostAsync(_host, "Unary", RawCall.Frame([]), headers: ("k-bin", "AQ==,AQ, AQID"));

        Assert.Equal(["01", "01", "010203"], seen);
    }

    [Fact]
    public async Task Headers_cannot_be_sent_twice_or_after_a_message()
    {
        _host.Handlers.Repeat = async (request, responses, context) =>
        {
            await context.WriteResponseHeadersAsync([]);
            await Assert.ThrowsAsync<InvalidOperationException>(() => context.WriteResponseHeadersAsync([]));
            await responses.WriteAsync(request);
            await Assert.ThrowsAsync<InvalidOperationException>(() => context.WriteResponseHeadersAsync([]));
        };

        using AsyncServerStreamingCall<Note> call = _host.Client.Repeat(new Note());
        Assert.True(await call.ResponseStream.MoveNext());
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Theory]
    [InlineData("", "v")]
    [InlineData("a b", "v")]
    [InlineData("k", "line\r\nbreak: 1")]
    [InlineData("k", "ü")]
    [InlineData("k-bin", "text")]
    public void An_entry_that_would_not_survive_the_way_is_refused(string key, string value) =>
        Assert.Throws<ArgumentException>(() => new Metadata.Entry(key, value));

    [Fact]
    public async Task Names_of_the_protocol_cannot_be_forged()
    {
        _host.Handlers.Unary = (request, context) =>
        {
            context.ResponseTrailers.Add("grpc-status", "7");
            return Task.FromResult(request);
        };

        Assert.Equal("x", (await _host.Client.UnaryAsync(new Note { Text = "x" }, [new("grpc-timeout", "0m"), new("te", "none")])).Text);
    }
}
