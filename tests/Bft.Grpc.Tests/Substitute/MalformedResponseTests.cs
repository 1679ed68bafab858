using Bft.Grpc.Tests.Contracts;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bft.Grpc.Tests.Substitute;

/// <summary>A client against servers that answer what no gRPC server should.</summary>
public sealed class MalformedResponseTests : IAsyncLifetime
{
    private static readonly byte[] Message = new Note { Text = "ok" }.ToByteArray();
    private static readonly Method<Note, Note> Method = new(MethodType.Unary, "raw", "Answer", NoteMarshaller.Instance, NoteMarshaller.Instance);
    private EchoHost _host = null!;
    private RequestDelegate _answer = null!;

    public static TheoryData<string, byte[], StatusCode> Bodies => new()
    {
        { "nothing", [], StatusCode.Internal },
        { "half a prefix", [0, 0], StatusCode.Internal },
        { "half a message", RawCall.Frame(Message, length: 1000), StatusCode.Internal },
        { "two messages", [.. RawCall.Frame(Message), .. RawCall.Frame(Message)], StatusCode.Internal },
        { "an unknown flag", RawCall.Frame(Message, flag: 7), StatusCode.Internal },
        { "compressed without an encoding", RawCall.Frame(Message, flag: 1), StatusCode.Internal },
        { "no protobuf", RawCall.Frame([0xFF, 0xFF]), StatusCode.Internal },
        { "4 GiB declared", RawCall.Frame(Message, length: uint.MaxValue), StatusCode.ResourceExhausted },
    };

    public async Task InitializeAsync() => _host = await EchoHost.StartAsync(map: app => app.MapPost("/raw/Answer", (RequestDelegate)(http => _answer(http))));

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_malformed_body_fails_the_call_although_the_status_is_OK(string what, byte[] body, StatusCode expected)
    {
        Status status = await StatusAfter(async http =>
        {
            http.Response.ContentType = "application/grpc";
            await http.Response.Body.WriteAsync(body);
            http.Response.AppendTrailer("grpc-status", "0");
        });

        Assert.True(expected == status.StatusCode, $"{what}: {status}");
    }

    [Theory]
    [InlineData(400, StatusCode.Internal)]
    [InlineData(401, StatusCode.Unauthenticated)]
    [InlineData(403, StatusCode.PermissionDenied)]
    [InlineData(404, StatusCode.Unimplemented)]
    [InlineData(418, StatusCode.Unknown)]
    [InlineData(429, StatusCode.Unavailable)]
    [InlineData(502, StatusCode.Unavailable)]
    [InlineData(503, StatusCode.Unavailable)]
    [InlineData(504, StatusCode.Unavailable)]
    [InlineData(200, StatusCode.Unknown)]
    public async Task An_answer_that_is_not_gRPC_maps_its_HTTP_status(int http, StatusCode expected) =>
        Assert.Equal(expected, (await StatusAfter(context =>
        {
            context.Response.StatusCode = http;
            context.Response.ContentType = "text/html";
            return context.Response.WriteAsync("<html>");
        })).StatusCode);

    [Theory]
    [InlineData(null, StatusCode.Unknown)]
    [InlineData("x", StatusCode.Unknown)]
    [InlineData("99", StatusCode.Unknown)]
    [InlineData("-1", StatusCode.Unknown)]
    [InlineData("7", StatusCode.PermissionDenied)]
    public async Task Trailers_decide(string? trailer, StatusCode expected) =>
        Assert.Equal(expected, (await StatusAfter(async http =>
        {
            http.Response.ContentType = "application/grpc";
            await http.Response.Body.WriteAsync(RawCall.Frame(Message));
            if (trailer is not null)
            {
                http.Response.AppendTrailer("grpc-status", trailer);
            }
        })).StatusCode);

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("%41%c3%84", "AÄ")]
    [InlineData("100%", "100%")]
    [InlineData("%zz%4", "%zz%4")]
    public async Task A_message_is_decoded_as_far_as_it_can_be(string sent, string expected) =>
        Assert.Equal(new Status(StatusCode.Aborted, expected), await StatusAfter(http =>
        {
            http.Response.ContentType = "application/grpc";
            http.Response.Headers["grpc-status"] = "10";
            http.Response.Headers["grpc-message"] = sent;
            return Task.CompletedTask;
        }));

    [Theory]
    [InlineData(0, StatusCode.Unavailable)]
    [InlineData(1, StatusCode.Internal)]
    [InlineData(2, StatusCode.Internal)]
    [InlineData(8, StatusCode.Cancelled)]
    [InlineData(11, StatusCode.ResourceExhausted)]
    [InlineData(12, StatusCode.PermissionDenied)]
    public async Task A_reset_maps_its_HTTP2_error(int error, StatusCode expected)
    {
        Task Reset(HttpContext http)
        {
            http.Features.GetRequiredFeature<IHttpResetFeature>().Reset(error);
            return Task.CompletedTask;
        }

        Assert.Equal(expected, (await StatusAfter(Reset)).StatusCode);
        Assert.Equal(expected, (await StatusAfter(async http =>
        {
            http.Response.ContentType = "application/grpc";
            await http.Response.Body.WriteAsync(RawCall.Frame(Message));
            await http.Response.Body.FlushAsync();
            await Reset(http);
        })).StatusCode);
    }

    [Fact]
    public async Task Malformed_binary_trailers_fail_the_call() =>
        Assert.Equal(StatusCode.Internal, (await StatusAfter(http =>
        {
            http.Response.ContentType = "application/grpc";
            http.Response.Headers["grpc-status"] = "5";
            http.Response.Headers["x-bin"] = "!";
            return Task.CompletedTask;
        })).StatusCode);

    private async Task<Status> StatusAfter(RequestDelegate answer)
    {
        _answer = answer;
        return (await EchoHost.FailureOf(_host.Channel().CreateCallInvoker().AsyncUnaryCall(Method, null, default, new Note()).ResponseAsync)).Status;
    }
}
