using Grpc.Core;
using Grpc.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grpc.AspNetCore.Server;

/// <summary>Takes a method's requests from Kestrel: checks them, calls the service, and ends them with a status whatever happened.</summary>
internal sealed class CallHandler<TService, TRequest, TResponse>(
    Method<TRequest, TResponse> method, Func<TService, ServerCall<TRequest, TResponse>, Task> invoke, IServiceProvider hostServices)
    where TService : class
    where TRequest : class
    where TResponse : class
{
    private readonly GrpcServiceOptions _options = hostServices.GetRequiredService<IOptions<GrpcServiceOptions>>().Value;
    private readonly ILogger _log = hostServices.GetRequiredService<ILoggerFactory>().CreateLogger("Grpc.Server");
    private readonly ObjectFactory<TService> _create = ActivatorUtilities.CreateFactory<TService>([]);

    public async Task HandleAsync(HttpContext http)
    {
        if (!HttpProtocol.IsHttp2(http.Request.Protocol) && !HttpProtocol.IsHttp3(http.Request.Protocol))
        {
            http.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            return;
        }

        if (!GrpcHeaders.IsGrpc(http.Request.ContentType))
        {
            http.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return;
        }

        if (HttpServerCallContext.TryCreate(http, out Status refusal) is not { } context)
        {
            HttpServerCallContext.EndWithoutCall(http, refusal);
            return;
        }

        using (context)
        {
            LiftBodyLimits(http);
            http.Response.ContentType = GrpcHeaders.ContentType;
            http.Response.Headers[GrpcHeaders.AcceptEncoding] = GrpcHeaders.Identity;
            await RunAsync(context);
            context.EndWithStatus();
        }
    }

    /// <summary>A stream outlives Kestrel's limits for a body as a whole; the limit of each message holds instead.</summary>
    private static void LiftBodyLimits(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        if (http.Features.Get<Microsoft.AspNetCore.Server.Kestrel.Core.Features.IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }
    }

    private async Task RunAsync(HttpServerCallContext context)
    {
        TService? made = null;
        try
        {
            TService service = context.Http.RequestServices.GetService<TService>() ?? (made = _create(context.Http.RequestServices, null));
            await invoke(service, new ServerCall<TRequest, TResponse>(context, method, _options));
        }
        catch (Exception e)
        {
            context.Status = StatusOf(e, context);
        }
        finally
        {
            if (made is IAsyncDisposable asyncDisposable)
            {
                await asyncDisposable.DisposeAsync();
            }
            else
            {
                (made as IDisposable)?.Dispose();
            }
        }

        if (context.IsDeadlinePassed)
        {
            context.Status = new Status(StatusCode.DeadlineExceeded, "The deadline passed.");
        }
    }

    private Status StatusOf(Exception failure, HttpServerCallContext context)
    {
        if (failure is RpcException chosen)
        {
            foreach (Metadata.Entry entry in chosen.Trailers)
            {
                context.ResponseTrailers.Add(entry);
            }

            return chosen.Status;
        }

        if (failure is OperationCanceledException && (context.IsClientGone || context.CancellationToken.IsCancellationRequested))
        {
            return Status.DefaultCancelled;
        }

        _log.LogError(failure, "The handler of {Method} failed.", method.FullName);
        return new Status(
            StatusCode.Unknown,
            _options.EnableDetailedErrors == true ? $"The handler failed: {failure.GetType().Name}: {failure.Message}" : "The handler failed.");
    }
}
