using Bft.Grpc.Tests.Contracts;
using Grpc.Core;

namespace Bft.Grpc.Tests;

/// <summary>What the echo service does; a test replaces what it is about.</summary>
public sealed class EchoHandlers
{
    public UnaryServerMethod<Note, Note> Unary { get; set; } = (request, _) => Task.FromResult(request);

    public ClientStreamingServerMethod<Note, Note> Collect { get; set; } = async (requests, _) =>
    {
        Note sum = new();
        while (await requests.MoveNext())
        {
            sum.Text += requests.Current.Text;
            sum.Count++;
        }

        return sum;
    };

    public ServerStreamingServerMethod<Note, Note> Repeat { get; set; } = async (request, responses, _) =>
    {
        for (int i = 0; i < request.Count; i++)
        {
            await responses.WriteAsync(new Note { Text = request.Text, Count = i });
        }
    };

    public DuplexStreamingServerMethod<Note, Note> Chat { get; set; } = async (requests, responses, _) =>
    {
        await foreach (Note request in requests.ReadAllAsync())
        {
            await responses.WriteAsync(request);
        }
    };
}

public sealed class EchoService(EchoHandlers handlers) : Echo.EchoBase
{
    public override Task<Note> Unary(Note request, ServerCallContext context) => handlers.Unary(request, context);

    public override Task<Note> Collect(IAsyncStreamReader<Note> requestStream, ServerCallContext context) => handlers.Collect(requestStream, context);

    public override Task Repeat(Note request, IServerStreamWriter<Note> responseStream, ServerCallContext context) => handlers.Repeat(request, responseStream, context);

    public override Task Chat(IAsyncStreamReader<Note> requestStream, IServerStreamWriter<Note> responseStream, ServerCallContext context) => handlers.Chat(requestStream, responseStream, context);
}
