using Grpc.Core;
using Grpc.Wire;
using Microsoft.AspNetCore.Http;

namespace Grpc.AspNetCore.Server;

/// <summary>One call with its two streams of messages.</summary>
internal sealed class ServerCall<TRequest, TResponse>
    where TRequest : class
    where TResponse : class
{
    private readonly MessageWriter<TResponse> _writer;

    public ServerCall(HttpServerCallContext context, Method<TRequest, TResponse> method, GrpcServiceOptions options)
    {
        HttpRequest request = context.Http.Request;
        string? encoding = request.Headers[GrpcHeaders.Encoding];
        _writer = new MessageWriter<TResponse>(context.Http.Response.BodyWriter, method.ResponseMarshaller, options.MaxSendMessageSize);
        Context = context;
        Requests = new RequestStreamReader<TRequest>(
            context, new MessageReader<TRequest>(request.BodyReader, method.RequestMarshaller, options.MaxReceiveMessageSize, encoding));
        Responses = new ResponseStreamWriter<TResponse>(context, _writer);
    }

    public HttpServerCallContext Context { get; }

    public RequestStreamReader<TRequest> Requests { get; }

    public ResponseStreamWriter<TResponse> Responses { get; }

    /// <summary>The only response; it leaves together with the status.</summary>
    public void Respond(TResponse? response) => Responses.Put(
        response ?? throw new RpcException(new Status(StatusCode.Cancelled, "The handler gave no response.")));
}
