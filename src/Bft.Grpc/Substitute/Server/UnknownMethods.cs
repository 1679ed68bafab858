using Grpc.Core;
using Grpc.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Options;

namespace Grpc.AspNetCore.Server;

/// <summary>Answers gRPC calls of services and methods that the host does not have.</summary>
internal sealed class UnknownMethods(IOptions<GrpcServiceOptions> options)
{
    private bool _isMapped;

    public void MapOnce(IEndpointRouteBuilder builder)
    {
        if (_isMapped || options.Value.IgnoreUnknownServices == true)
        {
            return;
        }

        _isMapped = true;
        RoutePattern anyMethod = RoutePatternFactory.Parse("{unknownService}/{unknownMethod}", defaults: null, new { unknownMethod = new IsGrpcCall() });
        builder.Map(anyMethod, AnswerAsync).Add(static endpoint => endpoint.DisplayName = "gRPC - unknown methods");
    }

    private static Task AnswerAsync(HttpContext http)
    {
        HttpServerCallContext.EndWithoutCall(http, new Status(StatusCode.Unimplemented, "The server has no such method."));
        return Task.CompletedTask;
    }

    /// <summary>Leaves requests that are not gRPC's to the host's other endpoints.</summary>
    private sealed class IsGrpcCall : IRouteConstraint
    {
        public bool Match(HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
            httpContext is not null && HttpMethods.IsPost(httpContext.Request.Method) && GrpcHeaders.IsGrpc(httpContext.Request.ContentType);
    }
}
