using System.Net;
using Bft.Grpc.Tests.Contracts;
using Google.Protobuf;

namespace Bft.Grpc.Tests.Substitute;

public sealed class MalformedRequestTests : IAsyncLifetime
{
    private const string Unimplemented = "12";
    private const string Internal = "13";
    private const string ResourceExhausted = "8";

    private static readonly byte[] Message = new Note { Text = "ok" }.ToByteArray();
    private EchoHost _host = null!;

    public static TheoryData<string, byte[], string> Bodies => new()
    {
        { "nothing", [], Internal },
        { "half a prefix", [0, 0, 0], Internal },
        { "half a message", RawCall.Frame(Message, length: 100), Internal },
        { "a second message", [.. RawCall.Frame(Message), .. RawCall.Frame(Message)], Internal },
        { "half a second message", [.. RawCall.Frame(Message), 0], Internal },
        { "an unknown flag", RawCall.Frame(Message, flag: 2), Internal },
        { "compressed without an encoding", RawCall.Frame(Message, flag: 1), Internal },
        { "no protobuf", RawCall.Frame([0xFF, 0xFF, 0xFF]), Internal },
        { "4 GiB declared", RawCall.Frame(Message, length: uint.MaxValue), ResourceExhausted },
        { "one byte over the limit", RawCall.Frame(Message, length: (4 * 1024 * 1024) + 1), ResourceExhausted },
    };

    public async Task InitializeAsync() => _host = await EchoHost.StartAsync();

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_malformed_body_gets_a_status_and_hurts_nobody_else(string what, byte[] body, string status)
    {
        RawCall.Answer answer = await RawCall.PostAsync(_host, "Unary", body);

        Assert.True(status == answer.Status, $"{what}: {answer}");
        Assert.Empty(answer.Body);
        Assert.Equal("x", (await _host.Client.UnaryAsync(new Note { Text = "x" })).Text);
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_stream_breaks_off_at_a_malformed_message_only(string what, byte[] body, string status)
    {
        bool isWellFormed = what is "nothing" or "a second message";

        RawCall.Answer answer = await RawCall.PostAsync(_host, "Chat", [.. RawCall.Frame(Message), .. body]);

        Assert.True((isWellFormed ? "0" : status) == answer.Status, $"{what}: {answer}");
        Assert.Equal(RawCall.Frame(Message), answer.Body[..(5 + Message.Length)]);
    }

    [Fact]
    public async Task An_unknown_compression_is_unimplemented_and_the_known_one_named()
    {
        RawCall.Answer compressed = await RawCall.PostAsync(_host, "Unary", RawCall.Frame(Message, flag: 1), headers: ("grpc-encoding", "gzip"));
        RawCall.Answer identity = await RawCall.PostAsync(_host, "Unary", RawCall.Frame(Message, flag: 1), headers: ("grpc-encoding", "identity"));
        RawCall.Answer unused = await RawCall.PostAsync(_host, "Unary", RawCall.Frame(Message), headers: ("grpc-encoding", "gzip"));

        Assert.Equal((Unimplemented, "identity"), (compressed.Status, compressed.AcceptEncoding));
        Assert.Equal(Internal, identity.Status);
        Assert.Equal("0", unused.Status);
    }

    [Theory]
    [InlineData("grpc-timeout", "")]
    [InlineData("grpc-timeout", "m")]
    [InlineData("grpc-timeout", "5")]
    [InlineData("grpc-timeout", "-5m")]
    [InlineData("grpc-timeout", "123456789m")]
    [InlineData("grpc-timeout", "5x")]
    [InlineData("data-bin", "not base64!")]
    [InlineData("data-bin", "AAAA,A")]
    public async Task A_malformed_header_ends_the_call(string name, string value) =>
        Assert.Equal(Internal, (await RawCall.PostAsync(_host, "Unary", RawCall.Frame(Message), headers: (name, value))).Status);

    [Theory]
    [InlineData("application/json", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/grpcx", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/grpc+proto", HttpStatusCode.OK)]
    [InlineData("application/grpc;charset=utf-8", HttpStatusCode.OK)]
    public async Task Only_gRPC_content_is_taken(string contentType, HttpStatusCode status) =>
        Assert.Equal(status, (await RawCall.PostAsync(_host, "Unary", RawCall.Frame(Message), contentType)).Http);

    [Fact]
    public async Task What_is_not_gRPC_at_an_unknown_path_is_left_to_others() =>
        Assert.Equal(HttpStatusCode.NotFound, (await RawCall.PostAsync(_host, "Nothing", [], "text/plain")).Http);
}
