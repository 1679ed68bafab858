using Google.Protobuf;
using Grpc.Core;
using Grpc.Reflection.V1Alpha;

namespace Bft.Reflection;

/// <summary>The same under the name that older tools ask for; the messages of both versions have the same bytes.</summary>
internal sealed class ReflectionAlphaService(ReflectionService current) : ServerReflection.ServerReflectionBase
{
    public override async Task ServerReflectionInfo(
        IAsyncStreamReader<ServerReflectionRequest> requestStream, IServerStreamWriter<ServerReflectionResponse> responseStream, ServerCallContext context)
    {
        await foreach (ServerReflectionRequest request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            Grpc.Reflection.V1.ServerReflectionRequest asked = Grpc.Reflection.V1.ServerReflectionRequest.Parser.ParseFrom(request.ToByteString());
            await responseStream.WriteAsync(ServerReflectionResponse.Parser.ParseFrom(current.Answer(asked).ToByteString()));
        }
    }
}
