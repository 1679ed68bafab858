using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Health.V1;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Bft.Health;

/// <summary>Answers grpc.health.v1 with the statuses that the host sets.</summary>
/// <remarks>
/// Thread-safe. The server as a whole is the service with the empty name. A watcher that reads slowly misses the changes in between, never
/// the last one. Nothing is kept for a name that only a client asked for.
/// </remarks>
public sealed class HealthService : Grpc.Health.V1.Health.HealthBase
{
    private readonly ConcurrentDictionary<string, ServingStatus> _statuses = new(StringComparer.Ordinal);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isStopping;

    /// <summary>Sets the status of a service, and wakes its watchers.</summary>
    /// <param name="service">Full name; empty for the server as a whole.</param>
    /// <param name="status">What Check and Watch answer from now on.</param>
    public void SetStatus(string service, ServingStatus status)
    {
        _statuses[service] = status;
        WakeWatchers();
    }

    /// <summary>Reports everything as not serving and ends all watches: a stopping host waits for its streams.</summary>
    public void OnStopping()
    {
        _isStopping = true;
        WakeWatchers();
    }

    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context) =>
        StatusOf(request.Service) is { } status
            ? Task.FromResult(new HealthCheckResponse { Status = status })
            : throw new RpcException(new Status(StatusCode.NotFound, "The server does not report on this service."));

    public override async Task Watch(HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        ServingStatus? reported = null;
        while (true)
        {
            // Taken before the status is read, so that no change falls between.
            Task changed = Volatile.Read(ref _changed).Task;
            bool isLast = _isStopping;
            ServingStatus status = StatusOf(request.Service) ?? ServingStatus.ServiceUnknown;
            if (status != reported)
            {
                await responseStream.WriteAsync(new HealthCheckResponse { Status = status });
                reported = status;
            }

            if (isLast)
            {
                throw new RpcException(new Status(StatusCode.Unavailable, "The server is stopping."));
            }

            await changed.WaitAsync(context.CancellationToken);
        }
    }

    private ServingStatus? StatusOf(string service)
    {
        if (!_statuses.TryGetValue(service, out ServingStatus status))
        {
            return null;
        }

        return _isStopping ? ServingStatus.NotServing : status;
    }

    private void WakeWatchers() =>
        Interlocked.Exchange(ref _changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
}
